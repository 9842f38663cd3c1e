//! Why a vendor could not be asked, in the languages of people.

use model::action::Text;
use model::vendor::{Fault, FetchError};

/// The reason of a failure for a case wall: its kind, and the facts behind it.
pub fn reason(error: &FetchError) -> Text {
    let kind = in_japanese(&error.fault);
    Text::new(error.to_string(), format!("{kind}: {}", error.detail))
}

fn in_japanese(fault: &Fault) -> &'static str {
    match fault {
        Fault::UnknownKey => "キーが登録されていません",
        Fault::ExpiredKey => "キーの有効期限が切れています",
        Fault::RevokedKey => "キーが失効しています",
        Fault::MalformedKey => "キーの形式が正しくありません",
        Fault::MissingScope => "権限が不足しています",
        Fault::WrongRegion(_) => "キーは別のリージョンのものです",
        Fault::WrongUrl => "URL が正しくありません",
        Fault::BadRequest => "要求が拒否されました",
        Fault::Throttled => "要求数の上限を超えました",
        Fault::Outage => "ベンダー側で障害が発生しています",
        Fault::Timeout => "時間内に応答がありませんでした",
        Fault::Dns => "ホスト名を解決できません",
        Fault::Tls => "TLS 接続を確立できません",
        Fault::Unreachable => "接続できません",
        Fault::Unreadable => "応答を読み取れません",
        Fault::TooLarge => "応答が大きすぎます",
        Fault::ForeignLink => "次ページのリンクが別のホストを指しています",
        Fault::RepeatedLink | Fault::ExpiredLink | Fault::ShortWalk => {
            "ページの読み取りを完了できません"
        }
        Fault::Budget => "送信枠を確保できません",
    }
}
