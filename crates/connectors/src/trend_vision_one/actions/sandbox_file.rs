//! A file handed in to the sandbox, as a form with the file in it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use model::action::{Entity, EntityKind, Halt, Item, ItemState, Outcome, Text};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::multi_status::last_step;
use super::run::Run;
use super::sandbox::{accept, judge, unnamed, untold};
use super::words::{HERE, Words};
use crate::action::{Ask, Board, Change, Reply, Taken};

const FILES: Words = Words {
    verb: "analyze",
    past: "analyzed",
    nouns: "files",
    place: HERE,
    none: "No files were analyzed in Trend Vision One.",
    ja_nouns: "ファイル",
    ja_stem: "を分析",
    ja_none: "Trend Vision One で分析したファイルはありません。",
};

/// Hands in the file and waits for the verdict.
pub(super) async fn act(run: &Run<'_>) -> Result<Outcome, Halt> {
    let name = run.input.text("file_name");
    let content = content(run)?;
    let mut board = Board::new();
    for other in &run.input.entities {
        board.push(Item::new(other.clone(), ItemState::Skipped));
    }
    let entity = Entity::new(EntityKind::FileName, name);
    if board.item(&entity).is_none() {
        board.push(Item::new(entity.clone(), ItemState::Pending));
    } else {
        board.set(&entity, ItemState::Pending, Text::default());
    }
    let permitted = board.permit(run.journal()).await?;
    if permitted.is_empty() {
        return judge(run, &FILES, board, &[]).await;
    }
    let change = Change { step: "submit", targets: &permitted, ask: ask(run, name, &content) };
    let mut works = Vec::new();
    match run.exchange.change(&change, None).await? {
        Taken::Answered(reply) => match id(&reply) {
            Some(id) => works.push(accept(&mut board, &permitted[0], id)),
            None => board.set(&permitted[0], ItemState::Unknown, unnamed()),
        },
        taken => {
            let (state, detail) = untold(taken)?;
            board.set(&permitted[0], state, detail);
        }
    }
    board.show_sending(run.journal()).await?;
    judge(run, &FILES, board, &works).await
}

fn content(run: &Run<'_>) -> Result<Vec<u8>, Halt> {
    let text: String =
        run.input.text("content").chars().filter(|letter| !letter.is_whitespace()).collect();
    let content = STANDARD.decode(text).ok().filter(|content| !content.is_empty());
    content.ok_or_else(|| {
        Halt::Fatal(Text::new(
            "`content` is no file in base64",
            "`content` が base64 形式のファイルではありません",
        ))
    })
}

fn id(reply: &Reply) -> Option<&str> {
    let place = || reply.headers.get("operation-location").and_then(|place| last_step(place));
    reply.body["id"].as_str().filter(|id| !id.is_empty()).or_else(place)
}

fn ask(run: &Run<'_>, name: &str, content: &[u8]) -> Ask {
    let digest = hex::encode(Sha256::digest(content));
    let boundary = boundary(run.journal().key("submit"), content);
    let mut form = Form { boundary: &boundary, body: Vec::with_capacity(content.len() + 1_024) };
    for (field, parameter) in
        [("documentPassword", "document_password"), ("archivePassword", "archive_password")]
    {
        let password = run.input.text(parameter);
        if !password.is_empty() {
            form.field(field, None, STANDARD.encode(password).as_bytes());
        }
    }
    form.field("file", Some(name), content);
    let shown: Value = json!({ "file": name, "size": content.len(), "sha256": digest });
    let media_type = format!("multipart/form-data; boundary={boundary}");
    Ask::bytes(run.url("sandbox/files/analyze"), media_type, form.finish(), shown)
}

/// A line that is not in the file; the same in every life of the run.
fn boundary(key: String, content: &[u8]) -> String {
    let mut text = key;
    loop {
        let boundary = format!("tarn-{}", &hex::encode(Sha256::digest(text.as_bytes()))[..32]);
        let is_inside = content.windows(boundary.len()).any(|part| part == boundary.as_bytes());
        if !is_inside {
            return boundary;
        }
        text = boundary;
    }
}

/// A form of `multipart/form-data`.
struct Form<'a> {
    boundary: &'a str,
    body: Vec<u8>,
}

impl Form<'_> {
    fn field(&mut self, name: &str, file_name: Option<&str>, data: &[u8]) {
        let mut head =
            format!("--{}\r\nContent-Disposition: form-data; name=\"{name}\"", self.boundary);
        if let Some(file_name) = file_name {
            // As browsers write it: what would end the value is escaped.
            let escaped = file_name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
            head.push_str(&format!("; filename=\"{escaped}\"\r\n"));
            head.push_str("Content-Type: application/octet-stream");
        }
        self.body.extend(head.as_bytes());
        self.body.extend(b"\r\n\r\n");
        self.body.extend(data);
        self.body.extend(b"\r\n");
    }

    fn finish(mut self) -> Bytes {
        self.body.extend(format!("--{}--\r\n", self.boundary).as_bytes());
        Bytes::from(self.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_is_never_in_the_file_and_a_name_cannot_leave_its_place() {
        let first = boundary("k".to_owned(), b"");
        assert_ne!(boundary("k".to_owned(), first.as_bytes()), first);
        assert_eq!(boundary("k".to_owned(), b"x"), first);
        let mut form = Form { boundary: "b", body: Vec::new() };
        form.field("file", Some("a\"\r\nx: y"), b"1");
        let text = String::from_utf8(form.finish().to_vec()).unwrap();
        assert_eq!(
            text,
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a%22%0D%0Ax: y\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n1\r\n--b--\r\n"
        );
    }
}
