//! Reading HTTP/1.1 answers, as little as a load generator needs.

/// A whole answer in a buffer.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Whether the connection ends with it.
    pub closes: bool,
    /// Where the body begins in the buffer; chunked ones keep their framing.
    pub body: usize,
    /// Where the answer ends in the buffer.
    pub end: usize,
}

/// Reads an answer; `None` if it is not whole yet.
///
/// # Errors
/// What is not HTTP.
pub fn parse(buffer: &[u8]) -> Result<Option<Answer>, String> {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut fields);
    let body = match head.parse(buffer).map_err(|error| error.to_string())? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return Ok(None),
    };
    let field = |name: &str| {
        let named = |field: &&httparse::Header<'_>| field.name.eq_ignore_ascii_case(name);
        let value = head.headers.iter().find(named)?.value;
        std::str::from_utf8(value).ok()
    };
    let status = head.code.unwrap_or_default();
    let is = |name, value: &str| field(name).is_some_and(|text| text.eq_ignore_ascii_case(value));
    let end = if is("transfer-encoding", "chunked") {
        end_of_chunks(buffer, body)?
    } else {
        let length = field("content-length").map_or(Ok(0), str::parse::<usize>);
        Some(body + length.map_err(|error| error.to_string())?)
    };
    Ok(end.filter(|end| *end <= buffer.len()).map(|end| Answer {
        status,
        closes: is("connection", "close"),
        body,
        end,
    }))
}

fn end_of_chunks(buffer: &[u8], mut at: usize) -> Result<Option<usize>, String> {
    loop {
        let Some(rest) = buffer.get(at..) else {
            return Ok(None);
        };
        let Some(line) = rest.windows(2).position(|pair| pair == b"\r\n") else {
            return Ok(None);
        };
        let size = std::str::from_utf8(&rest[..line]).map_err(|error| error.to_string())?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|error| error.to_string())?;
        at += line + 2 + size + 2;
        if size == 0 {
            return Ok(Some(at));
        }
    }
}
