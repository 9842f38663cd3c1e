//! The mails that always exist, whatever the seed. Data, and nothing else.
//!
//! Message `k` of this table has the id `<sim-mail-k@mail.sender.example>`; in its mailbox `j` it has the unique id
//! `AAMkSIM<k, five digits>-<j>=`. The hashes of its attachment `a` repeat the two digits of `10 + k + a`.

use super::action::Service;

/// A message that always exists.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) service: Service,
    pub(super) mailboxes: &'static [&'static str],
    pub(super) sender: &'static str,
    pub(super) subject: &'static str,
    /// Hours from its delivery to the simulator's start.
    pub(super) hours_ago: i64,
    pub(super) urls: &'static [&'static str],
    pub(super) files: &'static [&'static str],
    pub(super) source_ip: &'static str,
    pub(super) source_domain: &'static str,
}

const PLAIN: Known = Known {
    service: Service::Exchange,
    mailboxes: &[],
    sender: "",
    subject: "",
    hours_ago: 0,
    urls: &[],
    files: &[],
    source_ip: "192.0.2.10",
    source_domain: "sender.example",
};

/// The first messages of the population, in the order of their numbers.
pub(super) const KNOWN: [Known; 10] = [
    Known {
        mailboxes: &["haruka.mori@tarn.example", "keiri@tarn.example"],
        sender: "billing@sender.example",
        subject: "Invoice 8841",
        hours_ago: 2,
        urls: &["http://pay.bad.example/login"],
        files: &["inv.pdf"],
        ..PLAIN
    },
    Known {
        mailboxes: &["lena.fischer@tarn.example"],
        sender: "hr@spoof.example",
        subject: "Payroll change",
        hours_ago: 5,
        source_ip: "198.51.100.7",
        source_domain: "spoof.example",
        ..PLAIN
    },
    Known {
        service: Service::Gmail,
        mailboxes: &["rafael.duarte@tarn.example"],
        sender: "noreply@parcel-track.example",
        subject: "Your parcel is waiting",
        hours_ago: 26,
        urls: &["https://cdn.files-drop.example/parcel?id=77&lang=pt"],
        files: &["parcel.js"],
        source_ip: "203.0.113.20",
        source_domain: "parcel-track.example",
    },
    Known {
        service: Service::Gmail,
        mailboxes: &["amara.diallo@eu.tarn.example", "p.novak@eu.tarn.example"],
        sender: "ceo.office@tarn-corp.example",
        subject: "Urgent: wire transfer",
        hours_ago: 30,
        source_ip: "203.0.113.21",
        source_domain: "tarn-corp.example",
        ..PLAIN
    },
    Known {
        mailboxes: &[
            "s.okabe@tarn.example",
            "haruka.mori@tarn.example",
            "lena.fischer@tarn.example",
        ],
        sender: "accounts@supplier-co.example",
        subject: "Quarterly-numbers.draft for board_meeting",
        hours_ago: 50,
        files: &["numbers_2026.xlsm", "macro test.docm"],
        source_ip: "2001:db8::25",
        source_domain: "supplier-co.example",
        ..PLAIN
    },
    Known {
        mailboxes: &["yuto.kanda@jp.tarn.example"],
        sender: "support@login-desk.example",
        subject: "【重要】パスワード再設定のお願い",
        hours_ago: 74,
        urls: &["https://login.bad-site.example/reset", "https://login.bad-site.example/"],
        ..PLAIN
    },
    Known {
        mailboxes: &["emi.sakai@jp.tarn.example"],
        sender: "newsletter@events.example",
        subject: "Meeting tomorrow",
        hours_ago: 8 * 24,
        ..PLAIN
    },
    Known {
        mailboxes: &["helpdesk@tarn.example"],
        sender: "no.reply+bounce=77@lists.example",
        subject: "Re: \"ticket\" 4471",
        hours_ago: 60 * 24,
        ..PLAIN
    },
    Known {
        mailboxes: &["o'neil@tarn.example"],
        sender: "accounts@supplier-co.example",
        subject: "Old contract draft",
        hours_ago: 89 * 24,
        ..PLAIN
    },
    Known {
        mailboxes: &["ghost.writer@tarn.example"],
        sender: "billing@sender.example",
        subject: "Invoice 8842",
        hours_ago: 3,
        ..PLAIN
    },
];
