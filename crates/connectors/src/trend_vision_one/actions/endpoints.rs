//! Actions on machines: cut off and reconnected, a file fetched, a process ended, a script run.

use model::action::{Entity, EntityKind, Halt, Text};
use serde_json::{Map, Value};

use super::block_list::hexadecimal;
use super::orders::{Intake, member, within};
use super::response::Verb;
use super::run::Run;
use super::words::{HERE, Words};

/// The actions of this file.
pub(super) const VERBS: &[Verb] = &[
    Verb {
        name: "isolate_endpoint",
        path: "response/endpoints/isolate",
        tasks: &["isolate", "isolateForMultiple"],
        intake: plain,
        tells: &[],
        words: Words {
            verb: "isolate",
            past: "isolated",
            none: "No endpoints were isolated in Trend Vision One.",
            ja_stem: "を隔離",
            ja_none: "Trend Vision One で隔離したエンドポイントはありません。",
            ..ENDPOINTS
        },
    },
    Verb {
        name: "restore_endpoint",
        path: "response/endpoints/restore",
        tasks: &["restoreIsolate", "restoreIsolateForMultiple"],
        intake: plain,
        tells: &[],
        words: Words {
            verb: "restore the connection of",
            past: "restored the connection of",
            none: "No endpoints were reconnected in Trend Vision One.",
            ja_stem: "の接続を復旧",
            ja_none: "Trend Vision One で接続を復旧したエンドポイントはありません。",
            ..ENDPOINTS
        },
    },
    Verb {
        name: "collect_file",
        path: "response/endpoints/collectFile",
        tasks: &["collectFile"],
        intake: file,
        tells: FILE,
        words: Words {
            verb: "collect the file from",
            past: "collected the file from",
            none: "No files were collected in Trend Vision One.",
            ja_stem: "からファイルを収集",
            ja_none: "Trend Vision One で収集したファイルはありません。",
            ..ENDPOINTS
        },
    },
    Verb {
        name: "terminate_process",
        path: "response/endpoints/terminateProcess",
        // One of the vendor's schemas spells it without the `r`.
        tasks: &["terminateProcess", "teminateProcess"],
        intake: process,
        tells: &[],
        words: Words {
            verb: "terminate the process on",
            past: "terminated the process on",
            none: "No processes were terminated in Trend Vision One.",
            ja_stem: "でプロセスを終了",
            ja_none: "Trend Vision One で終了したプロセスはありません。",
            ..ENDPOINTS
        },
    },
    Verb {
        name: "run_script",
        path: "response/endpoints/runScript",
        tasks: &["runCustomScript", "runCustomScriptForMultiple", "runScript"],
        intake: script,
        tells: &[],
        words: Words {
            verb: "run the script on",
            past: "ran the script on",
            none: "No scripts were run in Trend Vision One.",
            ja_stem: "でスクリプトを実行",
            ja_none: "Trend Vision One で実行したスクリプトはありません。",
            ..ENDPOINTS
        },
    },
];

const ENDPOINTS: Words = Words {
    verb: "",
    past: "",
    nouns: "endpoints",
    place: HERE,
    none: "",
    ja_nouns: "エンドポイント",
    ja_stem: "",
    ja_none: "",
};

/// What is told of a collected file. Its password is not: whoever may have the file gets it at the vendor.
const FILE: &[(&str, &str)] = &[
    ("resourceLocation", "resource_location"),
    ("filePath", "file_path"),
    ("fileSha1", "file_sha1"),
    ("fileSha256", "file_sha256"),
    ("fileSize", "file_size"),
    ("expiredDateTime", "expires_at"),
];

/// The machine by its GUID, or by its name where it is no GUID: the vendor takes one of both.
pub(super) fn selected(entity: &Entity) -> Result<Map<String, Value>, Text> {
    let value = &entity.value;
    within(value, 255)?;
    Ok(member(if is_guid(value) { "agentGuid" } else { "endpointName" }, value))
}

/// Whether a text is the id of an agent.
pub(super) fn is_guid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

fn plain(run: &Run<'_>) -> Result<Intake, Halt> {
    Ok(with(run, &[]))
}

fn file(run: &Run<'_>) -> Result<Intake, Halt> {
    Ok(with(run, &[("filePath", run.input.text("file_path"))]))
}

fn process(run: &Run<'_>) -> Result<Intake, Halt> {
    let digest = run.input.text("file_sha1");
    if hexadecimal(digest) != Some("fileSha1") {
        return Err(Halt::Fatal(Text::new(
            "`file_sha1` is no SHA-1 digest of 40 hexadecimal digits",
            "`file_sha1` が 40 桁の 16 進数の SHA-1 ではありません",
        )));
    }
    Ok(with(run, &[("fileSha1", digest), ("fileName", run.input.text("file_name"))]))
}

fn script(run: &Run<'_>) -> Result<Intake, Halt> {
    let members =
        [("fileName", run.input.text("script_name")), ("parameter", run.input.text("parameters"))];
    Ok(with(run, &members))
}

/// The machines of the input, each with the same further members; those that are empty are left out.
fn with(run: &Run<'_>, members: &[(&str, &str)]) -> Intake {
    Intake::of(&run.input.entities, &[EntityKind::Host], |entity| {
        let mut body = selected(entity)?;
        for (name, value) in members.iter().filter(|(_, value)| !value.is_empty()) {
            body.insert((*name).to_owned(), Value::from(*value));
        }
        Ok(body)
    })
}
