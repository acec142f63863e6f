//! An event stream on its way to the client, with the lists in it filtered.
//!
//! Each event leaves as soon as it is complete; nothing waits for an event that concerns it not.
//! A list that cannot be read ends the stream.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::list_filter::{self, Entry, Named, UnreadableList};
use crate::sse::{self, EventTooLong, Events};
use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};

/// [`list_filter::Show`] for as long as a stream lasts.
pub(crate) type ShowInStream = dyn FnMut(Entry, &[Named<'_>]) -> Vec<bool> + Send;

/// Why a stream ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RelayError<E> {
    /// The upstream's stream broke.
    #[error("the upstream's answer broke off")]
    Upstream(#[source] E),
    /// An event is too long to be looked at.
    #[error(transparent)]
    Event(#[from] EventTooLong),
    /// A list is not readable.
    #[error(transparent)]
    List(#[from] UnreadableList),
}

/// An event stream whose lists are filtered.
pub(crate) struct FilteredEvents<B> {
    upstream: B,
    events: Events,
    show: Box<ShowInStream>,
    is_over: bool,
}

impl<B> FilteredEvents<B> {
    /// Filters the events of `upstream`.
    pub(crate) fn new(upstream: B, show: Box<ShowInStream>) -> Self {
        Self {
            upstream,
            events: Events::default(),
            show,
            is_over: false,
        }
    }

    /// Everything that is complete, filtered.
    fn complete<E>(&mut self) -> Result<Option<Bytes>, RelayError<E>> {
        let Some(first) = self.events.next() else {
            return Ok(None);
        };
        let mut out = BytesMut::from(self.filter(first)?);
        while let Some(event) = self.events.next() {
            let event = self.filter(event)?;
            out.extend_from_slice(&event);
        }
        Ok(Some(out.freeze()))
    }

    fn filter(&mut self, event: Bytes) -> Result<Bytes, UnreadableList> {
        let Some(data) = sse::data(&event) else {
            return Ok(event);
        };
        let filtered = list_filter::filter(&data, &mut *self.show)?;
        Ok(filtered.map_or(event.clone(), |data| {
            sse::with_data(&event, data.as_bytes())
        }))
    }

    fn rest<E>(&mut self) -> Result<Option<Bytes>, RelayError<E>> {
        self.is_over = true;
        let Some(rest) = self.events.rest() else {
            return Ok(None);
        };
        Ok(Some(self.filter(rest)?))
    }
}

impl<B> Body for FilteredEvents<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = RelayError<B::Error>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let relay = &mut *self;
        while !relay.is_over {
            let ready = match ready!(Pin::new(&mut relay.upstream).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => relay.events.push(&data).map_err(Into::into),
                    // Trailers mean nothing to MCP.
                    Err(_) => Ok(()),
                }
                .and_then(|()| relay.complete()),
                Some(Err(error)) => Err(RelayError::Upstream(error)),
                None => relay.rest(),
            };
            match ready {
                Ok(None) => {}
                Ok(Some(bytes)) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Err(error) => {
                    relay.is_over = true;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
        Poll::Ready(None)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, StreamBody};
    use tokio::sync::mpsc;

    use super::*;

    type Received = Result<Frame<Bytes>, std::convert::Infallible>;

    fn relay() -> (
        mpsc::Sender<Received>,
        impl Body<Data = Bytes, Error: std::fmt::Debug> + Unpin,
    ) {
        let (sender, receiver) = mpsc::channel(4);
        let stream = futures_util::stream::unfold(receiver, |mut receiver| async {
            receiver.recv().await.map(|frame| (frame, receiver))
        });
        let show = |_, named: &[Named<'_>]| named.iter().map(|n| n.name != "drop").collect();
        let body = StreamBody::new(Box::pin(stream));
        (sender, FilteredEvents::new(body, Box::new(show)))
    }

    async fn send(sender: &mpsc::Sender<Received>, text: &'static str) {
        sender
            .send(Ok(Frame::data(Bytes::from(text))))
            .await
            .unwrap();
    }

    async fn receive(
        body: &mut (impl Body<Data = Bytes, Error: std::fmt::Debug> + Unpin),
    ) -> Bytes {
        body.frame().await.unwrap().unwrap().into_data().unwrap()
    }

    #[tokio::test]
    async fn events_leave_at_once_and_only_lists_change() {
        let (sender, mut body) = relay();
        let progress = "event: message\r\ndata: {\"method\":\"notifications/progress\"}\r\n\r\n";
        send(&sender, progress).await;
        assert_eq!(receive(&mut body).await, progress);

        send(
            &sender,
            "id: 2\ndata: {\"result\":{\"tools\":[{\"name\":\"drop\"},",
        )
        .await;
        send(&sender, "{\"name\":\"read\"}]}}\n\n: ping\n\n").await;
        assert_eq!(
            receive(&mut body).await,
            "id: 2\ndata: {\"result\":{\"tools\":[{\"name\":\"read\"}],\"cacheScope\":\"private\"}}\n\n: ping\n\n"
        );

        drop(sender);
        assert!(body.frame().await.is_none());
    }

    #[tokio::test]
    async fn an_unfinished_event_is_filtered_too() {
        let (sender, mut body) = relay();
        send(
            &sender,
            "data: {\"result\":{\"tools\":[{\"name\":\"drop\"}]}}",
        )
        .await;
        drop(sender);
        let rest = receive(&mut body).await;
        assert_eq!(
            rest,
            "data: {\"result\":{\"tools\":[],\"cacheScope\":\"private\"}}\n\n"
        );
        assert!(body.frame().await.is_none());
    }

    #[tokio::test]
    async fn a_list_that_cannot_be_read_ends_the_stream() {
        let (sender, mut body) = relay();
        send(
            &sender,
            "data: {\"result\":{\"tools\":[{\"name\":\"a\"}],\"tools\":[]}}\n\n",
        )
        .await;
        assert!(body.frame().await.unwrap().is_err());
        assert!(body.frame().await.is_none());
    }
}
