//! Cutting an event stream into events without holding any back ([Server-sent events] §9.2.6).
//!
//! Bytes go in as they arrive; each event comes out, byte for byte, as soon as its blank line is
//! there. Lines end with LF, CR LF or CR. Put together, the pieces are the stream.
//!
//! [Server-sent events]: https://html.spec.whatwg.org/multipage/server-sent-events.html

use bytes::{Bytes, BytesMut};

/// The longest event that is waited for, in bytes.
pub(crate) const MAX_EVENT: usize = 16 * 1024 * 1024;

/// An event is longer than [`MAX_EVENT`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an event is longer than {MAX_EVENT} bytes")]
pub(crate) struct EventTooLong;

/// The events of one stream.
#[derive(Debug, Default)]
pub(crate) struct Events {
    buffer: BytesMut,
    scanned: usize,
    line: usize,
    is_after_cr: bool,
}

impl Events {
    /// Adds what has arrived.
    ///
    /// # Errors
    /// [`EventTooLong`]: give the stream up.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), EventTooLong> {
        if self.buffer.len().saturating_add(bytes.len()) > MAX_EVENT {
            return Err(EventTooLong);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// The next complete event, with its blank line.
    pub(crate) fn next(&mut self) -> Option<Bytes> {
        while let Some(&byte) = self.buffer.get(self.scanned) {
            self.scanned += 1;
            if self.ends_event(byte) {
                return Some(self.cut());
            }
        }
        None
    }

    /// What is left when the stream has ended: an event without its blank line, which clients drop.
    pub(crate) fn rest(&mut self) -> Option<Bytes> {
        self.scanned = self.buffer.len();
        (self.scanned > 0).then(|| self.cut())
    }

    fn ends_event(&mut self, byte: u8) -> bool {
        let was_after_cr = std::mem::replace(&mut self.is_after_cr, byte == b'\r');
        match byte {
            // The second half of CR LF; alone in the buffer when its event has already left.
            b'\n' if was_after_cr => self.scanned == 1,
            b'\n' | b'\r' => std::mem::take(&mut self.line) == 0,
            _ => {
                self.line += 1;
                false
            }
        }
    }

    fn cut(&mut self) -> Bytes {
        if self.is_after_cr && self.buffer.get(self.scanned) == Some(&b'\n') {
            self.scanned += 1;
            self.is_after_cr = false;
        }
        self.buffer
            .split_to(std::mem::take(&mut self.scanned))
            .freeze()
    }
}

/// The data of an event: its `data` lines joined by LF. `None` when it has none.
pub(crate) fn data(event: &[u8]) -> Option<Vec<u8>> {
    let mut data: Option<Vec<u8>> = None;
    for line in lines(event).filter_map(data_line) {
        match &mut data {
            Some(data) => {
                data.push(b'\n');
                data.extend_from_slice(line);
            }
            None => data = Some(line.to_vec()),
        }
    }
    data
}

/// The event with other data; its other lines stay as they are, before the data.
pub(crate) fn with_data(event: &[u8], data: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(event.len());
    for line in lines(event).filter(|line| !line.is_empty() && data_line(line).is_none()) {
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    for line in lines(data) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out.push(b'\n');
    out.into()
}

/// The lines of a text, without their ends; CR LF gives an empty one more, which callers ignore.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    const BOM: &[u8] = b"\xef\xbb\xbf";
    let text = text.strip_prefix(BOM).unwrap_or(text);
    text.split(|byte| matches!(byte, b'\n' | b'\r'))
}

fn data_line(line: &[u8]) -> Option<&[u8]> {
    let value = line.strip_prefix(b"data")?;
    match value.split_first() {
        None => Some(value),
        Some((b':', value)) => Some(value.strip_prefix(b" ").unwrap_or(value)),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(pieces: &[&str]) -> Vec<String> {
        let mut events = Events::default();
        let mut out = Vec::new();
        for piece in pieces {
            events.push(piece.as_bytes()).unwrap();
            while let Some(event) = events.next() {
                out.push(String::from_utf8(event.to_vec()).unwrap());
            }
        }
        out.extend(
            events
                .rest()
                .map(|rest| String::from_utf8(rest.to_vec()).unwrap()),
        );
        out
    }

    #[test]
    fn an_event_leaves_with_its_blank_line() {
        let whole = "id: 1\ndata: a\n\n: ping\n\ndata: b\ndata: c\n\n";
        let expected = ["id: 1\ndata: a\n\n", ": ping\n\n", "data: b\ndata: c\n\n"];
        assert_eq!(cut(&[whole]), expected);
        let bytewise: Vec<String> = whole.chars().map(String::from).collect();
        let bytewise: Vec<&str> = bytewise.iter().map(String::as_str).collect();
        assert_eq!(cut(&bytewise), expected);
    }

    #[test]
    fn every_line_ending_is_understood() {
        assert_eq!(cut(&["data: a\r\n\r\ndata: b\r\n\r\n"]).len(), 2);
        assert_eq!(
            cut(&["data: a\r\rdata: b\r\r"]),
            ["data: a\r\r", "data: b\r\r"]
        );
        assert_eq!(
            cut(&["data: a\r\n\r", "\ndata: b\n\n"]),
            ["data: a\r\n\r", "\n", "data: b\n\n"]
        );
    }

    #[test]
    fn an_event_without_blank_line_is_the_rest() {
        assert_eq!(cut(&["data: a\n\ndata: b"]), ["data: a\n\n", "data: b"]);
    }

    #[test]
    fn data_lines_are_joined_and_replaced() {
        let event = b"event: message\r\nid: 7\r\ndata: {\r\ndata:\"a\": 1}\r\n\r\n";
        assert_eq!(data(event).unwrap(), b"{\n\"a\": 1}");
        assert_eq!(
            with_data(event, b"{}\n"),
            "event: message\nid: 7\ndata: {}\ndata: \n\n"
        );
        assert_eq!(data(b": ping\n\n"), None);
        assert_eq!(data(b"database: x\n\n"), None);
        assert_eq!(data(b"\xef\xbb\xbfdata: a\n\n").unwrap(), b"a");
    }

    #[test]
    fn an_endless_event_is_given_up() {
        let mut events = Events::default();
        let chunk = vec![b'a'; MAX_EVENT];
        assert_eq!(events.push(&chunk), Ok(()));
        assert_eq!(events.push(b"a"), Err(EventTooLong));
    }

    proptest! {
        #[test]
        fn put_together_the_pieces_are_the_stream(text in "[a:\r\n]{0,40}", cuts in "[01]{40}") {
            let mut events = Events::default();
            let mut out = Vec::new();
            for (byte, cut) in text.bytes().zip(cuts.bytes()) {
                events.push(&[byte]).unwrap();
                // Sometimes at once, sometimes when more is there.
                while cut == b'1' && let Some(event) = events.next() {
                    out.extend_from_slice(&event);
                }
            }
            while let Some(event) = events.next() {
                out.extend_from_slice(&event);
            }
            out.extend(events.rest().unwrap_or_default());
            prop_assert_eq!(out, text.as_bytes());
        }
    }
}
