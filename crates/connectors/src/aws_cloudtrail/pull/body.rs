//! The bytes of an object on their way from the network to a thread that reads them, a few pieces at a time.
//!
//! What was read first is kept up to a limit, for the dead letter of an object that turns out to be broken; and
//! a connection that breaks is told from a file that is.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use tokio::sync::mpsc;

/// Pieces on the way; the client hands out some ten kilobytes at once.
const PIECES: usize = 16;
/// Bytes of an object that are kept while it is read.
pub(super) const KEPT: usize = 1 << 20;

/// The reader's end; clones read on where the others stopped.
#[derive(Clone)]
pub(super) struct Body(Arc<Mutex<State>>);

struct State {
    pieces: mpsc::Receiver<Result<Bytes, String>>,
    piece: Bytes,
    kept: Vec<u8>,
    is_longer: bool,
    failure: Option<String>,
}

/// The two ends: what feeds is to be awaited while another thread reads.
pub(super) fn open(mut stream: ByteStream) -> (Body, impl Future<Output = ()> + Send) {
    let (sender, pieces) = mpsc::channel(PIECES);
    let feed = async move {
        while let Some(piece) = stream.next().await {
            let piece = piece.map_err(|error| error.to_string());
            let is_broken = piece.is_err();
            if sender.send(piece).await.is_err() || is_broken {
                return;
            }
        }
    };
    (Body::new(pieces), feed)
}

impl Body {
    fn new(pieces: mpsc::Receiver<Result<Bytes, String>>) -> Self {
        let state = State {
            pieces,
            piece: Bytes::new(),
            kept: Vec::new(),
            is_longer: false,
            failure: None,
        };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Why the connection broke, if it did.
    pub(super) fn failure(&self) -> Option<String> {
        self.state().failure.clone()
    }

    /// The whole object, when it is short enough to be kept. Reads on to its end to know.
    pub(super) fn kept(&self) -> Option<Bytes> {
        let mut state = self.state();
        while !state.is_longer && matches!(state.advance(), Ok(true)) {
            let rest = state.piece.len();
            state.consume(rest);
        }
        let is_whole = !state.is_longer && state.failure.is_none();
        is_whole.then(|| Bytes::from(std::mem::take(&mut state.kept)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether there are bytes.
    fn advance(&mut self) -> io::Result<bool> {
        while self.piece.is_empty() {
            // Whoever reads may be a worker of the runtime that has to feed this: it makes room for another.
            match tokio::task::block_in_place(|| self.pieces.blocking_recv()) {
                None => return Ok(false),
                Some(Ok(piece)) => self.piece = piece,
                Some(Err(error)) => {
                    self.failure = Some(error.clone());
                    return Err(io::Error::other(error));
                }
            }
        }
        Ok(true)
    }

    fn consume(&mut self, count: usize) {
        let taken = self.piece.split_to(count);
        let room = KEPT.saturating_sub(self.kept.len());
        self.is_longer |= taken.len() > room;
        self.kept.extend_from_slice(&taken[..taken.len().min(room)]);
        if self.is_longer {
            self.kept = Vec::new();
        }
    }
}

impl Read for Body {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state();
        if !state.advance()? {
            return Ok(0);
        }
        let count = into.len().min(state.piece.len());
        into[..count].copy_from_slice(&state.piece[..count]);
        state.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(pieces: Vec<Result<Bytes, String>>) -> Body {
        let (sender, receiver) = mpsc::channel(pieces.len().max(1));
        for piece in pieces {
            sender.try_send(piece).unwrap();
        }
        Body::new(receiver)
    }

    #[test]
    fn a_short_object_is_kept_whole_even_when_its_reader_gave_up() {
        let mut body = body(vec![Ok("abc".into()), Ok("".into()), Ok("def".into())]);
        let mut two = [0; 2];
        body.read_exact(&mut two).unwrap();
        assert_eq!(body.kept().unwrap(), "abcdef");
    }

    #[test]
    fn a_long_object_is_not_kept_and_a_broken_connection_is_told() {
        let mut long = body(vec![Ok(vec![7; KEPT].into()), Ok("x".into())]);
        assert_eq!(io::copy(&mut long, &mut io::sink()).unwrap(), KEPT as u64 + 1);
        assert_eq!(long.kept(), None);
        let mut cut = body(vec![Ok("abc".into()), Err("reset".to_owned())]);
        assert!(io::copy(&mut cut, &mut io::sink()).is_err());
        assert_eq!((cut.failure().as_deref(), cut.kept()), (Some("reset"), None));
    }
}
