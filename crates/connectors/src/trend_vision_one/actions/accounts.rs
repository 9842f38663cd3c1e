//! Actions on people's accounts, in the cloud directory and on the premises.

use model::action::{EntityKind, Halt};

use super::orders::{Intake, member, within};
use super::response::Verb;
use super::run::Run;
use super::words::{HERE, Words};

/// The actions of this file.
pub(super) const VERBS: &[Verb] = &[
    Verb {
        name: "disable_account",
        path: "response/domainAccounts/disable",
        tasks: &["disableAccount"],
        intake,
        tells: &[],
        words: Words {
            verb: "disable",
            past: "disabled",
            none: "No accounts were disabled in Trend Vision One.",
            ja_stem: "を無効化",
            ja_none: "Trend Vision One で無効化したアカウントはありません。",
            ..ACCOUNTS
        },
    },
    Verb {
        name: "enable_account",
        path: "response/domainAccounts/enable",
        tasks: &["enableAccount"],
        intake,
        tells: &[],
        words: Words {
            verb: "enable",
            past: "enabled",
            none: "No accounts were enabled in Trend Vision One.",
            ja_stem: "を有効化",
            ja_none: "Trend Vision One で有効化したアカウントはありません。",
            ..ACCOUNTS
        },
    },
    Verb {
        name: "sign_out_account",
        path: "response/domainAccounts/signOut",
        tasks: &["forceSignOut"],
        intake,
        tells: &[],
        words: Words {
            verb: "sign out",
            past: "signed out",
            none: "No accounts were signed out in Trend Vision One.",
            ja_stem: "を強制サインアウト",
            ja_none: "Trend Vision One で強制サインアウトしたアカウントはありません。",
            ..ACCOUNTS
        },
    },
    Verb {
        name: "reset_password",
        path: "response/domainAccounts/resetPassword",
        tasks: &["resetPassword"],
        intake,
        tells: &[],
        words: Words {
            verb: "reset the password of",
            past: "reset the password of",
            none: "No passwords were reset in Trend Vision One.",
            ja_stem: "のパスワードをリセット",
            ja_none: "Trend Vision One でパスワードをリセットしたアカウントはありません。",
            ..ACCOUNTS
        },
    },
];

const ACCOUNTS: Words = Words {
    verb: "",
    past: "",
    nouns: "accounts",
    place: HERE,
    none: "",
    ja_nouns: "アカウント",
    ja_stem: "",
    ja_none: "",
};

fn intake(run: &Run<'_>) -> Result<Intake, Halt> {
    let kinds = [EntityKind::User, EntityKind::EmailAddress];
    Ok(Intake::of(&run.input.entities, &kinds, |entity| {
        within(&entity.value, 255)?;
        Ok(member("accountName", &entity.value))
    }))
}
