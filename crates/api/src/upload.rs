//! A request body as a blocking reader, with a few chunks in memory and no more.
//!
//! A body that stops before its end is a read error, never a shorter file.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use engine::app::App;
use futures::channel::mpsc::{self, Receiver, Sender};
use futures::executor::block_on;
use futures::{SinkExt, StreamExt};
use tokio::task::JoinHandle;

use crate::problem::Problem;
use axum::http::StatusCode;

/// Chunks that are read ahead.
const AHEAD: usize = 4;
/// How long the client may send nothing.
const SILENCE: Duration = Duration::from_secs(60);

/// What the reader is told.
enum Piece {
    Data(Bytes),
    /// The body ended as it should.
    End,
}

/// Reads a request body from a thread that may block.
pub(crate) struct BodyReader {
    pieces: Receiver<Piece>,
    chunk: Bytes,
    ended: bool,
}

/// The task that takes the body in. It fails when the body is cut or the client falls silent.
pub(crate) type Feeder = JoinHandle<Result<(), Problem>>;

/// Starts to take a body in.
pub(crate) fn start(body: Body, app: Arc<App>) -> (BodyReader, Feeder) {
    let (sender, pieces) = mpsc::channel(AHEAD);
    let feeder = tokio::spawn(feed(body, sender, app));
    (BodyReader { pieces, chunk: Bytes::new(), ended: false }, feeder)
}

/// Takes a short body in, up to so many bytes.
///
/// # Errors
/// It is longer, is cut, or the client falls silent.
pub(crate) async fn whole(body: Body, most: usize, app: &App) -> Result<Bytes, Problem> {
    let mut chunks = body.into_data_stream();
    let mut whole = Vec::new();
    let deadline = app.clock().now() + SILENCE;
    loop {
        let chunk = tokio::select! {
            biased;
            chunk = chunks.next() => chunk,
            () = app.clock().sleep_until(deadline) => return Err(silent()),
        };
        match chunk {
            Some(Ok(chunk)) if whole.len() + chunk.len() > most => return Err(too_large(most)),
            Some(Ok(chunk)) => whole.extend_from_slice(&chunk),
            Some(Err(error)) => {
                tracing::info!(%error, "a body was cut");
                return Err(cut());
            }
            None => return Ok(whole.into()),
        }
    }
}

async fn feed(body: Body, mut sender: Sender<Piece>, app: Arc<App>) -> Result<(), Problem> {
    let mut chunks = body.into_data_stream();
    loop {
        let deadline = app.clock().now() + SILENCE;
        let chunk = tokio::select! {
            chunk = chunks.next() => chunk,
            () = app.clock().sleep_until(deadline) => return Err(silent()),
        };
        let piece = match chunk {
            Some(Ok(chunk)) => Piece::Data(chunk),
            Some(Err(error)) => {
                tracing::info!(%error, "an upload was cut");
                return Err(cut());
            }
            None => Piece::End,
        };
        let last = matches!(piece, Piece::End);
        // Nobody reads on: whoever read knows why.
        if sender.send(piece).await.is_err() || last {
            return Ok(());
        }
    }
}

const RESUME: &str =
    "send the whole file again: records that are stored already are not stored twice";

fn silent() -> Problem {
    let detail = format!("the body stopped for {} seconds", SILENCE.as_secs());
    Problem::new(StatusCode::REQUEST_TIMEOUT, detail).with_hint(RESUME)
}

fn too_large(most: usize) -> Problem {
    let detail = format!("the body is larger than {most} bytes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail).with_hint("send it in smaller parts")
}

fn cut() -> Problem {
    Problem::unreadable("the body was cut before its end").with_hint(RESUME)
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() && !self.ended {
            match block_on(self.pieces.next()) {
                Some(Piece::Data(chunk)) => self.chunk = chunk,
                Some(Piece::End) => self.ended = true,
                None => {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the body was cut"));
                }
            }
        }
        let length = buffer.len().min(self.chunk.len());
        buffer[..length].copy_from_slice(&self.chunk.split_to(length));
        Ok(length)
    }
}
