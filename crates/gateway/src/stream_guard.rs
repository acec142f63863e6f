//! Answers that stop when their permission does (requirements RS-34, N-225; design §8).
//!
//! An answer may stream for hours. While it waits for the upstream it asks four times a second
//! whether the token still holds, and ends when it does not: it expired, it was revoked, or this
//! node can no longer tell. Dropping the upstream's body cancels the call there.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

/// How often a waiting stream asks; a revocation ends it within this and the age of the index.
const INTERVAL: Duration = Duration::from_millis(250);

/// Says whether the caller may still be answered.
pub(crate) type Permission = Box<dyn Fn() -> bool + Send>;

/// A body that ends with its permission.
pub(crate) struct GuardedBody<B> {
    inner: Option<B>,
    permission: Permission,
    tick: Option<Pin<Box<Sleep>>>,
}

impl<B> GuardedBody<B> {
    /// Guards `inner`.
    pub(crate) fn new(inner: B, permission: Permission) -> Self {
        Self {
            inner: Some(inner),
            permission,
            tick: None,
        }
    }

    /// Ready when the permission is gone; otherwise the task is woken for the next question.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let tick = self.tick.get_or_insert_with(|| Box::pin(sleep(INTERVAL)));
        loop {
            ready!(tick.as_mut().poll(context));
            if !(self.permission)() {
                return Poll::Ready(());
            }
            tick.as_mut().reset(Instant::now() + INTERVAL);
        }
    }
}

impl<B> Body for GuardedBody<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        // A body that never waits is over before a clock would be worth its price.
        if self.tick.is_some() && self.poll_end(context).is_ready() {
            self.inner = None;
        }
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(frame) = Pin::new(inner).poll_frame(context) {
            return Poll::Ready(frame);
        }
        ready!(self.poll_end(context));
        self.inner = None;
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use http_body_util::{BodyExt, Full, StreamBody};
    use tokio::sync::mpsc;

    use super::*;

    type Received = Result<Frame<Bytes>, std::convert::Infallible>;

    fn channel() -> (
        mpsc::Sender<Received>,
        impl Body<Data = Bytes, Error = std::convert::Infallible> + Unpin,
    ) {
        let (sender, receiver) = mpsc::channel(4);
        let stream = futures_util::stream::unfold(receiver, |mut receiver| async {
            receiver.recv().await.map(|frame| (frame, receiver))
        });
        (sender, StreamBody::new(Box::pin(stream)))
    }

    /// N-225.
    #[tokio::test]
    async fn a_waiting_stream_ends_with_its_permission_and_drops_the_upstream() {
        let (upstream, body) = channel();
        let is_allowed = Arc::new(AtomicBool::new(true));
        let permission = Arc::clone(&is_allowed);
        let mut body = GuardedBody::new(body, Box::new(move || permission.load(Ordering::Relaxed)));

        upstream
            .send(Ok(Frame::data("data: a\n\n".into())))
            .await
            .unwrap();
        assert!(body.frame().await.unwrap().unwrap().is_data());

        is_allowed.store(false, Ordering::Relaxed);
        assert!(body.frame().await.is_none());
        assert!(upstream.is_closed());
    }

    #[tokio::test]
    async fn a_busy_stream_is_asked_too() {
        let (upstream, body) = channel();
        let mut body = GuardedBody::new(body, Box::new(|| false));
        let writer = tokio::spawn(async move {
            while upstream
                .send(Ok(Frame::data("data: a\n\n".into())))
                .await
                .is_ok()
            {
                tokio::task::yield_now().await;
            }
        });
        while body.frame().await.is_some() {}
        writer.await.unwrap();
    }

    #[tokio::test]
    async fn a_body_that_is_there_keeps_its_length() {
        let body = GuardedBody::new(Full::from("{}"), Box::new(|| false));
        assert_eq!(body.size_hint().exact(), Some(2));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "{}");
    }
}
