//! The journal of a run: each step before it is sent and after it is answered, each attempt of it.

use model::ids::RunId;
use model::time::Timestamp;
use serde_json::Value;

use crate::columns::Columns;
use crate::database::{Connection, Row};
use crate::error::{Result, WhileDoing};
use crate::open::Catalog;

/// A step of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredStep {
    /// Its name inside the run.
    pub name: String,
    /// Whether it changes something at the vendor.
    pub is_change: bool,
    /// What is sent, secrets masked; `None` for what was only remembered.
    pub request: Option<Value>,
    /// How often it was sent.
    pub sends: u64,
    /// When it was last sent.
    pub sent_at: Option<Timestamp>,
    /// How the last attempt ended; `None` while nobody knows.
    pub ending: Option<Value>,
    /// Its attempts, oldest first. Of questions only the last.
    pub attempts: Vec<StoredAttempt>,
}

/// One sending of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredAttempt {
    /// When it was sent.
    pub sent_at: Timestamp,
    /// When its end was known.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub ending: Option<Value>,
}

impl Catalog {
    /// Writes down that a step is about to be sent. Durable when it answers.
    ///
    /// # Errors
    /// Nothing was written: nothing may be sent.
    pub async fn step_sending(
        &self,
        run: RunId,
        name: &str,
        is_change: bool,
        request: &Value,
        at: Timestamp,
    ) -> Result<()> {
        const ACTION: &str = "write down a step of a run";
        let mut transaction = self.pools.begin(ACTION).await?;
        let sends = put_step(&mut transaction, run, name, is_change, Some(request), at).await?;
        if !is_change {
            sqlx::query("DELETE FROM run_attempts WHERE run_id = $1 AND step = $2")
                .bind(run.to_string())
                .bind(name)
                .execute(&mut *transaction)
                .await
                .while_doing(ACTION)?;
        }
        sqlx::query(
            "INSERT INTO run_attempts (run_id, step, attempt, sent_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(run.to_string())
        .bind(name)
        .bind(sends)
        .bind(at.as_micros())
        .execute(&mut *transaction)
        .await
        .while_doing(ACTION)?;
        transaction.commit().await.while_doing(ACTION)
    }

    /// Writes down how the last attempt of a step ended, or what a run has to remember under this name.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn step_ended(
        &self,
        run: RunId,
        name: &str,
        ending: &Value,
        at: Timestamp,
    ) -> Result<()> {
        const ACTION: &str = "write down the end of a step";
        let mut transaction = self.pools.begin(ACTION).await?;
        // Of a question the attempt keeps the answer: nobody goes on by it.
        let known = sqlx::query(
            "UPDATE run_steps SET ending = CASE WHEN is_change OR sends = 0 THEN $3 END
             WHERE run_id = $1 AND name = $2 RETURNING sends, is_change",
        )
        .bind(run.to_string())
        .bind(name)
        .bind(ending.to_string())
        .fetch_optional(&mut *transaction)
        .await
        .while_doing(ACTION)?;
        match known {
            Some(step) => {
                let shown = if step.flag("is_change")? { ending.clone() } else { told(ending) };
                sqlx::query(
                    "UPDATE run_attempts SET ending = $4, ended_at = $5
                     WHERE run_id = $1 AND step = $2 AND attempt = $3",
                )
                .bind(run.to_string())
                .bind(name)
                .bind(step.number("sends")?)
                .bind(shown.to_string())
                .bind(at.as_micros())
                .execute(&mut *transaction)
                .await
                .while_doing(ACTION)?;
            }
            None => {
                put_step(&mut transaction, run, name, false, None, at).await?;
                sqlx::query(
                    "UPDATE run_steps SET ending = $3, sends = 0, sent_at = NULL
                     WHERE run_id = $1 AND name = $2",
                )
                .bind(run.to_string())
                .bind(name)
                .bind(ending.to_string())
                .execute(&mut *transaction)
                .await
                .while_doing(ACTION)?;
            }
        }
        transaction.commit().await.while_doing(ACTION)
    }

    /// A step of a run by its name, without its attempts.
    ///
    /// # Errors
    /// The database fails.
    pub async fn step(&self, run: RunId, name: &str) -> Result<Option<StoredStep>> {
        let row = sqlx::query("SELECT * FROM run_steps WHERE run_id = $1 AND name = $2")
            .bind(run.to_string())
            .bind(name)
            .fetch_optional(self.pools.reader())
            .await
            .while_doing("read a step of a run")?;
        row.as_ref().map(|row| step_of(row, Vec::new())).transpose()
    }

    /// The steps of a run with their attempts, in the order of their first sending.
    ///
    /// # Errors
    /// The database fails.
    pub async fn steps(&self, run: RunId) -> Result<Vec<StoredStep>> {
        const ACTION: &str = "read the journal of a run";
        let rows = sqlx::query("SELECT * FROM run_steps WHERE run_id = $1 ORDER BY ordinal")
            .bind(run.to_string())
            .fetch_all(self.pools.reader())
            .await
            .while_doing(ACTION)?;
        let attempts = sqlx::query("SELECT * FROM run_attempts WHERE run_id = $1 ORDER BY attempt")
            .bind(run.to_string())
            .fetch_all(self.pools.reader())
            .await
            .while_doing(ACTION)?;
        let mut steps = Vec::with_capacity(rows.len());
        for row in &rows {
            let name = row.text("name")?;
            let mut own = Vec::new();
            for attempt in &attempts {
                if attempt.text("step")? == name {
                    own.push(attempt_of(attempt)?);
                }
            }
            steps.push(step_of(row, own)?);
        }
        Ok(steps)
    }
}

/// Most bytes of the answer to a question that are kept: pages of mail are not the history's.
const QUESTION_CAP: usize = 16 * 1024;

/// The ending of a question, without an answer that is long.
fn told(ending: &Value) -> Value {
    let mut told = ending.clone();
    if let Some(body) = told.pointer_mut("/answer/body") {
        let length = body.to_string().len();
        if length > QUESTION_CAP {
            *body = Value::from(format!("{length} bytes, not kept"));
        }
    }
    told
}

/// Writes a step that is about to be sent once more; answers how often that is.
async fn put_step(
    connection: &mut Connection,
    run: RunId,
    name: &str,
    is_change: bool,
    request: Option<&Value>,
    at: Timestamp,
) -> Result<i64> {
    let row = sqlx::query(
        "INSERT INTO run_steps (run_id, name, ordinal, is_change, request, sends, sent_at)
         VALUES ($1, $2, (SELECT COUNT(*) FROM run_steps WHERE run_id = $1), $3, $4, 1, $5)
         ON CONFLICT (run_id, name) DO UPDATE SET request = excluded.request,
             sends = run_steps.sends + 1, sent_at = excluded.sent_at, ending = NULL
         RETURNING sends",
    )
    .bind(run.to_string())
    .bind(name)
    .bind(is_change)
    .bind(request.map(Value::to_string))
    .bind(at.as_micros())
    .fetch_one(connection)
    .await
    .while_doing("write down a step of a run")?;
    row.number("sends")
}

fn step_of(row: &Row, attempts: Vec<StoredAttempt>) -> Result<StoredStep> {
    Ok(StoredStep {
        name: row.text("name")?,
        is_change: row.flag("is_change")?,
        request: json_maybe(row, "request")?,
        sends: row.count("sends")?,
        sent_at: row.time_maybe("sent_at")?,
        ending: json_maybe(row, "ending")?,
        attempts,
    })
}

fn attempt_of(row: &Row) -> Result<StoredAttempt> {
    Ok(StoredAttempt {
        sent_at: row.time("sent_at")?,
        ended_at: row.time_maybe("ended_at")?,
        ending: json_maybe(row, "ending")?,
    })
}

fn json_maybe(row: &Row, column: &str) -> Result<Option<Value>> {
    match row.text_maybe(column)? {
        None => Ok(None),
        Some(_) => row.json(column).map(Some),
    }
}
