//! Who calls, and from where: services, roles, people through single sign-on, users with keys.

use std::fmt::Write as _;

use super::super::chance::Chance;
use super::calls::Caller;
use super::template::{self, Places};

/// A caller with the numbers that its names belong to.
pub(super) enum Identity {
    /// A service on its own account.
    Service(&'static str),
    /// A session of a role, by a program.
    Role { role: u64, session: u64 },
    /// Somebody in a role of single sign-on.
    Person { person: u64, is_in_console: bool },
    /// Somebody with a key of their own.
    User(u64),
    /// Somebody who signs in.
    SignIn(u64),
}

impl Identity {
    /// Whether the record tells of TLS.
    pub(super) fn speaks_tls(&self) -> bool {
        !matches!(self, Self::Service(_) | Self::SignIn(_))
    }

    /// Whether the call came from the console.
    pub(super) fn is_in_console(&self) -> bool {
        matches!(self, Self::Person { is_in_console: true, .. })
    }
}

const SERVICES: [&str; 12] = [
    "ec2",
    "lambda",
    "ecs-tasks",
    "config",
    "cloudtrail",
    "autoscaling",
    "elasticloadbalancing",
    "states",
    "events",
    "backup",
    "eks",
    "glue",
];

/// Draws who makes a call.
pub(super) fn caller(kind: Caller, chance: &mut Chance) -> Identity {
    let role = |chance: &mut Chance| Identity::Role {
        role: chance.skewed(160),
        session: chance.skewed(9_000),
    };
    let person = |chance: &mut Chance| Identity::Person {
        person: chance.skewed(300),
        is_in_console: chance.happens(60),
    };
    match kind {
        Caller::Service => Identity::Service(chance.favour(&SERVICES)),
        Caller::Role => role(chance),
        Caller::Person => person(chance),
        Caller::Console => Identity::SignIn(chance.skewed(300)),
        Caller::Anybody => match chance.below(100) {
            0..72 => role(chance),
            72..90 => person(chance),
            _ => Identity::User(chance.skewed(40)),
        },
    }
}

/// Appends the `userIdentity`.
pub(super) fn write(who: &Identity, chance: &mut Chance, places: &Places, out: &mut String) {
    let account = places.account;
    let written = match who {
        Identity::Service(service) => {
            write!(out, "{{\"type\":\"AWSService\",\"invokedBy\":\"{service}.amazonaws.com\"}}")
        }
        Identity::Role { role, session } => {
            let (name, session) = (template::role(*role), template::session(*session));
            let id = principal("AROA", *role);
            let created = template::time(places.seconds - seconds(chance.below(3_600)));
            let delivery =
                if session.starts_with("i-") { ",\"ec2RoleDelivery\":\"2.0\"" } else { "" };
            let session = Session { name: &name, path: "", id: &id, session: &session };
            assumed(&session, account, chance, out).and_then(|()| {
                write!(
                    out,
                    ",\"attributes\":{{\"creationDate\":\"{created}\",\"mfaAuthenticated\":\"false\"}}{delivery}}}}}"
                )
            })
        }
        Identity::Person { person, .. } => {
            let set = ["Administrator", "PowerUser", "ReadOnly", "Billing"]
                [usize::try_from(person % 4).unwrap_or(0)];
            let name =
                format!("AWSReservedSSO_{set}_{:016x}", Chance::new(&[person % 4, 0x550]).bits());
            let email = format!("{}@example.com", template::person(*person));
            let id = principal("AROA", 1_000 + person % 4);
            let created = template::time(places.seconds - seconds(chance.below(28_800)));
            let path = "aws-reserved/sso.amazonaws.com/eu-central-1/";
            let session = Session { name: &name, path, id: &id, session: &email };
            assumed(&session, account, chance, out).and_then(|()| {
                write!(
                    out,
                    ",\"attributes\":{{\"creationDate\":\"{created}\",\"mfaAuthenticated\":\"false\"}}}}}}"
                )
            })
        }
        Identity::User(person) => {
            let (name, id) = (template::person(*person), principal("AIDA", *person));
            let key = template::upper(Chance::new(&[*person, 0x4e1]).bits(), 16);
            write!(
                out,
                "{{\"type\":\"IAMUser\",\"principalId\":\"{id}\",\"arn\":\"arn:aws:iam::{account:012}:user/{name}\",\
                 \"accountId\":\"{account:012}\",\"accessKeyId\":\"AKIA{key}\",\"userName\":\"{name}\"}}"
            )
        }
        Identity::SignIn(person) => {
            let (name, id) = (template::person(*person), principal("AIDA", *person));
            write!(
                out,
                "{{\"type\":\"IAMUser\",\"principalId\":\"{id}\",\"arn\":\"arn:aws:iam::{account:012}:user/{name}\",\
                 \"accountId\":\"{account:012}\",\"userName\":\"{name}\"}}"
            )
        }
    };
    debug_assert!(written.is_ok(), "writing to a text cannot fail");
}

/// The names of a session of a role.
struct Session<'n> {
    name: &'n str,
    path: &'n str,
    id: &'n str,
    session: &'n str,
}

/// All of a role's session but its attributes.
fn assumed(
    session: &Session<'_>,
    account: u64,
    chance: &mut Chance,
    out: &mut String,
) -> std::fmt::Result {
    let Session { name, path, id, session } = session;
    let key = template::upper(chance.bits(), 16);
    write!(
        out,
        "{{\"type\":\"AssumedRole\",\"principalId\":\"{id}:{session}\",\
         \"arn\":\"arn:aws:sts::{account:012}:assumed-role/{name}/{session}\",\"accountId\":\"{account:012}\",\
         \"accessKeyId\":\"ASIA{key}\",\"sessionContext\":{{\"sessionIssuer\":{{\"type\":\"Role\",\
         \"principalId\":\"{id}\",\"arn\":\"arn:aws:iam::{account:012}:role/{path}{name}\",\
         \"accountId\":\"{account:012}\",\"userName\":\"{name}\"}}"
    )
}

fn principal(prefix: &str, number: u64) -> String {
    let bits = Chance::new(&[number, 0xa1d]).bits();
    format!("{prefix}{}", template::upper(bits, 17))
}

/// Appends `sourceIPAddress` and `userAgent`.
pub(super) fn write_origin(who: &Identity, chance: &mut Chance, out: &mut String) {
    let (address, agent) = match who {
        Identity::Service(service) => {
            let name = format!("{service}.amazonaws.com");
            (name.clone(), name)
        }
        Identity::Role { role, session } => match role % 5 {
            0 => ("AWS Internal".to_owned(), "AWS Internal".to_owned()),
            kind => (inside(*session), program(kind, role % 9, chance)),
        },
        Identity::Person { person, is_in_console } => (
            outside(*person),
            if *is_in_console { browser(*person) } else { program(2, person % 9, chance) },
        ),
        Identity::User(person) => (outside(*person), program(person % 5, person % 9, chance)),
        Identity::SignIn(person) => (outside(*person), browser(*person)),
    };
    let written = write!(out, ",\"sourceIPAddress\":\"{address}\",\"userAgent\":\"{agent}\"");
    debug_assert!(written.is_ok(), "writing to a text cannot fail");
}

/// A machine of the company.
fn inside(number: u64) -> String {
    format!("10.{}.{}.{}", 16 + number % 12, (number / 12) % 250, 4 + (number / 36) % 250)
}

/// A line into the Internet: an office, or somebody's own.
fn outside(number: u64) -> String {
    match number % 3 {
        0 => format!("192.0.2.{}", number % 60),
        1 => format!("198.51.100.{}", number % 250),
        _ => format!("2001:db8:{:x}:{:x}::{:x}", number % 7, number * 131 % 65_000, number),
    }
}

fn program(kind: u64, version: u64, chance: &mut Chance) -> String {
    let patch = chance.favour(&[4, 9, 12, 30]);
    match kind {
        1 => format!(
            "Boto3/1.3{version}.{patch} md/Botocore#1.3{version}.{patch} ua/2.0 os/linux#6.1.119 md/arch#x86_64 \
             lang/python#3.12.{version} md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.3{version}.{patch}"
        ),
        2 => format!(
            "aws-cli/2.{version}.{patch} md/awscrt#0.23.{version} ua/2.1 os/macos#23.6.0 md/arch#arm64 \
             lang/python#3.12.6 md/pyimpl#CPython cfg/retry-mode#standard md/installer#exe md/command#ec2.describe"
        ),
        3 => format!(
            "aws-sdk-java/2.2{version}.{patch} Linux/6.1.119-129.201.amzn2023.x86_64 OpenJDK_64-Bit_Server_VM/21.0.{version} \
             Java/21.0.{version} kotlin/1.9.24-release vendor/Amazon.com_Inc. io/sync http/Apache cfg/retry-mode/standard"
        ),
        _ => format!(
            "APN/1.0 HashiCorp/1.0 Terraform/1.{version}.{patch} (+https://www.terraform.io) \
             terraform-provider-aws/5.{version}.0 aws-sdk-go-v2/1.3{version}.{patch} os/linux lang/go#1.23.{version}"
        ),
    }
}

fn browser(number: u64) -> String {
    let version = 128 + number % 6;
    let system =
        ["Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64"]
            [usize::try_from(number % 3).unwrap_or(0)];
    format!(
        "Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
    )
}

fn seconds(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(0)
}
