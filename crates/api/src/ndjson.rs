//! Answers of one JSON value per line: rows as they are read, and the progress of long work.
//!
//! The first piece is waited for before the status is sent, so that early failures still become
//! problem details.

use std::convert::Infallible;
use std::future::Future;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::problem::Problem;

/// The media type of one JSON value per line.
pub(crate) const MEDIA_TYPE: &str = "application/x-ndjson";
/// Lines that a slow client may fall behind; further progress is left out.
const BEHIND: usize = 64;

/// Takes what long work reports on its way.
pub(crate) struct Reporter(mpsc::Sender<Line>);

impl Reporter {
    /// Sends a progress line, unless the client reads too slowly.
    pub(crate) fn progress(&self, progress: &impl Serialize) {
        let line = Line::Progress(serde_json::to_value(progress).unwrap_or_default());
        if self.0.try_send(line).is_err() {
            tracing::trace!("left a progress line out: the client reads too slowly");
        }
    }
}

/// One line of an answer about work.
enum Line {
    Progress(Value),
    End(Result<Value, Problem>),
}

impl Line {
    fn into_bytes(self) -> Bytes {
        let value = match self {
            Self::Progress(progress) => json!({ "progress": progress }),
            Self::End(Ok(result)) => json!({ "result": result }),
            Self::End(Err(problem)) => json!({ "problem": problem }),
        };
        format!("{value}\n").into()
    }
}

/// Runs work and answers its progress line by line: `{"progress": …}`, and at the end
/// `{"result": …}` or `{"problem": …}`. The work is dropped when the client goes away.
pub(crate) async fn follow<W, F, R>(work: W) -> Result<Response, Problem>
where
    W: FnOnce(Reporter) -> F,
    F: Future<Output = Result<R, Problem>> + Send + 'static,
    R: Serialize,
{
    let (sender, mut receiver) = mpsc::channel(BEHIND);
    let work = work(Reporter(sender.clone()));
    tokio::spawn(async move {
        let end = tokio::select! {
            end = work => end,
            () = sender.closed() => return,
        };
        let end = end.map(|result| serde_json::to_value(result).unwrap_or_default());
        if sender.send(Line::End(end)).await.is_err() {
            tracing::debug!("the client left before the end of the work");
        }
    });
    let first = match receiver.recv().await {
        Some(Line::End(Err(problem))) => return Err(problem),
        Some(line) => line,
        // The work panicked.
        None => return Err(Problem::internal()),
    };
    let lines = stream::iter([first]).chain(ReceiverStream::new(receiver));
    let body = Body::from_stream(lines.map(|line| Ok::<_, Infallible>(line.into_bytes())));
    Ok(([(CONTENT_TYPE, MEDIA_TYPE)], body).into_response())
}

/// Rows as lines.
pub(crate) fn lines(rows: &[impl Serialize]) -> serde_json::Result<Bytes> {
    let mut text = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut text, row)?;
        text.push(b'\n');
    }
    Ok(text.into())
}

/// JSON in the characters that a header may hold.
pub(crate) fn header_text(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).unwrap_or_default();
    let mut ascii = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, ' '..='~') {
            ascii.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                ascii.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    ascii
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_holds_json_in_ascii() {
        assert_eq!(header_text(&["a\"b", "件名😀"]), r#"["a\"b","\u4ef6\u540d\ud83d\ude00"]"#);
    }
}
