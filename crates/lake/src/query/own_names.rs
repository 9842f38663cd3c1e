//! Vendors' own names of fields in SQL: `eventName`, `userIdentity.arn`, `requestParameters.bucketName`.
//!
//! Before a statement is planned, such a name becomes the column that holds it, or a path in the raw record. Only
//! names that are no column are touched, only in a `SELECT` over our tables, and nothing but names is: what a
//! statement may read is decided below (I6).

use std::ops::ControlFlow;

use ::query::fields::{self, Own};
use datafusion::sql::sqlparser::ast::{
    AccessExpr, Expr, Ident, Query, Select, SelectItem, SetExpr, Statement, Subscript, TableFactor,
    Value, VisitMut as _, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::DatabricksDialect;
use datafusion::sql::sqlparser::parser::Parser;
use model::ocsf::Class;

use super::sql::EVENTS;
use crate::columns::schema::{COMMON, RAW_DATA};

/// Replaces the names of a statement.
pub(crate) fn replace(statement: &mut Statement) {
    let mut names = Names::default();
    // Nothing here breaks off.
    let visited: ControlFlow<()> = statement.visit(&mut names);
    debug_assert!(visited.is_continue(), "every name is visited");
}

/// A statement on its way through.
#[derive(Default)]
struct Names {
    scopes: Vec<Scope>,
    /// Names that `WITH` gives, which hide tables.
    given: Vec<String>,
}

/// What a `SELECT` reads, and which names it gives itself.
#[derive(Debug, Clone, Default)]
struct Scope {
    relations: Vec<Relation>,
    aliases: Vec<String>,
}

/// Something behind `FROM`.
#[derive(Debug, Clone)]
struct Relation {
    /// What the statement calls it.
    name: Ident,
    /// `None` when it is no table of ours.
    table: Option<Table>,
}

#[derive(Debug, Clone, Copy)]
enum Table {
    Class(Class),
    Events,
}

impl VisitorMut for Names {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let tables = query.with.iter().flat_map(|with| &with.cte_tables);
        self.given.extend(tables.map(|table| table.alias.name.value.to_ascii_lowercase()));
        // For what follows the SELECT: ORDER BY.
        let scope = match query.body.as_ref() {
            SetExpr::Select(select) => self.scope(select),
            _ => Scope::default(),
        };
        self.scopes.push(scope);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.scopes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let scope = self.scope(select);
        for item in &mut select.projection {
            name_output(item, &scope);
        }
        self.scopes.push(scope);
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _: &mut Select) -> ControlFlow<()> {
        self.scopes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Some(scope) = self.scopes.last()
            && !scope.has_alias(expr)
            && let Some(found) = scope.meaning(expr)
        {
            *expr = found;
        }
        ControlFlow::Continue(())
    }
}

impl Names {
    fn scope(&self, select: &Select) -> Scope {
        let tables = select.from.iter().flat_map(|from| {
            let joined = from.joins.iter().map(|join| &join.relation);
            std::iter::once(&from.relation).chain(joined)
        });
        let relations = tables.map(|table| self.relation(table)).collect();
        let aliases = select.projection.iter().filter_map(|item| match item {
            SelectItem::ExprWithAlias { expr, alias } if !is_named(expr, alias) => {
                Some(alias.value.to_ascii_lowercase())
            }
            _ => None,
        });
        Scope { relations, aliases: aliases.collect() }
    }

    fn relation(&self, factor: &TableFactor) -> Relation {
        let TableFactor::Table { name, alias, .. } = factor else {
            return Relation { name: Ident::new(""), table: None };
        };
        let called = name.0.last().and_then(|part| part.as_ident()).cloned();
        let called = called.unwrap_or_else(|| Ident::new(""));
        let key = called.value.to_ascii_lowercase();
        let is_given = name.0.len() == 1 && self.given.contains(&key);
        let table = match key.as_str() {
            _ if is_given => None,
            EVENTS => Some(Table::Events),
            class => Class::from_name(class).map(Table::Class),
        };
        let name = alias.as_ref().map_or(called, |alias| alias.name.clone());
        Relation { name, table }
    }
}

/// Whether an output column is called what it is called anyway.
fn is_named(expr: &Expr, alias: &Ident) -> bool {
    matches!(expr, Expr::Identifier(name) if name.value.eq_ignore_ascii_case(&alias.value))
}

/// Replaces an output column that is just a name, and keeps that name for it.
fn name_output(item: &mut SelectItem, scope: &Scope) {
    match item {
        SelectItem::UnnamedExpr(expr) => {
            let Some(found) = scope.meaning(expr) else { return };
            let name = path(expr).map(|parts| {
                let parts: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
                parts.join(".")
            });
            let alias = Ident::with_quote('`', name.unwrap_or_default());
            *item = SelectItem::ExprWithAlias { expr: found, alias };
        }
        SelectItem::ExprWithAlias { expr, .. } => {
            if let Some(found) = scope.meaning(expr) {
                *expr = found;
            }
        }
        _ => {}
    }
}

impl Scope {
    /// Whether an expression is a name that the statement gives itself.
    fn has_alias(&self, expr: &Expr) -> bool {
        let Expr::Identifier(name) = expr else { return false };
        self.aliases.contains(&name.value.to_ascii_lowercase())
    }

    /// What stands for an expression that is a vendor's own name.
    fn meaning(&self, expr: &Expr) -> Option<Expr> {
        let parts = path(expr)?;
        let first = parts.first()?;
        let is_called = |relation: &&Relation| {
            parts.len() > 1 && relation.name.value.eq_ignore_ascii_case(&first.value)
        };
        if let Some(relation) = self.relations.iter().find(is_called) {
            return relation.meaning(&parts[1..], Some(first));
        }
        let [only] = self.relations.as_slice() else { return None };
        only.meaning(&parts, None)
    }
}

impl Relation {
    fn meaning(&self, parts: &[Ident], qualifier: Option<&Ident>) -> Option<Expr> {
        let path: Vec<String> = parts.iter().map(|part| part.value.clone()).collect();
        let own = match self.table? {
            Table::Class(class) => fields::own(class, &path)?,
            Table::Events => match fields::own(Class::ApiActivity, &path)? {
                Own::Column(column) if is_common(&column) => Own::Column(column),
                _ => Own::Raw(fields::own_path(&path)?),
            },
        };
        let qualifier = qualifier.map_or_else(String::new, |name| format!("{name}."));
        let text = match own {
            Own::Column(column) => format!("{qualifier}{column}"),
            Own::Raw(path) => {
                let keys: Option<Vec<String>> = path.iter().map(|key| literal(key)).collect();
                format!("raw_text({qualifier}{RAW_DATA}, {})", keys?.join(", "))
            }
        };
        Parser::new(&DatabricksDialect {}).try_with_sql(&text).ok()?.parse_expr().ok()
    }
}

/// Whether the view over all classes has the column.
fn is_common(column: &str) -> bool {
    let top = column.split('.').next().unwrap_or_default();
    COMMON.contains(&top)
}

/// A key as a literal; one that would need an escape is left to whoever writes `raw_text` himself.
fn literal(key: &str) -> Option<String> {
    (!key.contains(['\'', '\\'])).then(|| format!("'{key}'"))
}

/// The parts of a dotted name, with places in lists among them: `a.b[0].c`.
fn path(expr: &Expr) -> Option<Vec<Ident>> {
    match expr {
        Expr::Identifier(name) => Some(vec![name.clone()]),
        Expr::CompoundIdentifier(parts) => Some(parts.clone()),
        Expr::CompoundFieldAccess { root, access_chain } => {
            let mut parts = path(root)?;
            for access in access_chain {
                parts.extend(step(access)?);
            }
            Some(parts)
        }
        _ => None,
    }
}

fn step(access: &AccessExpr) -> Option<Vec<Ident>> {
    match access {
        AccessExpr::Dot(expr) => path(expr),
        AccessExpr::Subscript(Subscript::Index { index: Expr::Value(value) }) => {
            match &value.value {
                Value::Number(text, _) | Value::SingleQuotedString(text) => {
                    Some(vec![Ident::new(text.as_str())])
                }
                _ => None,
            }
        }
        AccessExpr::Subscript(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(text: &str) -> String {
        let mut statements = Parser::parse_sql(&DatabricksDialect {}, text).unwrap();
        replace(&mut statements[0]);
        statements[0].to_string()
    }

    #[test]
    fn own_names_become_columns_or_paths_and_keep_their_name_in_the_output() {
        for (text, expected) in [
            (
                "SELECT eventName FROM api_activity WHERE userIdentity.arn = 'a'",
                "SELECT api.operation AS `eventName` FROM api_activity WHERE actor.user.uid = 'a'",
            ),
            (
                "SELECT requestParameters.bucketName, count(*) FROM api_activity GROUP BY requestParameters.bucketName ORDER BY requestParameters.bucketName",
                "SELECT raw_text(raw_data, 'requestParameters', 'bucketName') AS `requestParameters.bucketName`, count(*) FROM api_activity GROUP BY raw_text(raw_data, 'requestParameters', 'bucketName') ORDER BY raw_text(raw_data, 'requestParameters', 'bucketName')",
            ),
            (
                "SELECT uid FROM events WHERE EVENTNAME = 'x' AND eventTime > now()",
                "SELECT uid FROM events WHERE raw_text(raw_data, 'eventName') = 'x' AND time > now()",
            ),
            (
                "SELECT a.eventID FROM latest.api_activity AS a JOIN authentication AS b ON a.sourceIPAddress = b.sourceIPAddress",
                "SELECT a.metadata.uid AS `a.eventID` FROM latest.api_activity AS a JOIN authentication AS b ON raw_text(a.raw_data, 'sourceIPAddress') = raw_text(b.raw_data, 'sourceIPAddress')",
            ),
            (
                "SELECT requestParameters.items[0].id FROM api_activity",
                "SELECT raw_text(raw_data, 'requestParameters', 'items', '0', 'id') AS `requestParameters.items.0.id` FROM api_activity",
            ),
            (
                "SELECT uid FROM api_activity WHERE uid IN (SELECT uid FROM events WHERE awsRegion = 'x') AND awsRegion = 'y'",
                "SELECT uid FROM api_activity WHERE uid IN (SELECT uid FROM events WHERE raw_text(raw_data, 'awsRegion') = 'x') AND cloud.region = 'y'",
            ),
        ] {
            assert_eq!(replaced(text), expected);
        }
    }

    #[test]
    fn other_names_stay_as_they_are() {
        for text in [
            "SELECT api.operation, status, resources FROM api_activity",
            "SELECT eventName FROM email_activity",
            "SELECT eventName FROM (SELECT api.operation AS eventName FROM api_activity) AS t",
            "WITH events AS (SELECT 1 AS eventName) SELECT eventName FROM events",
            "SELECT eventName FROM api_activity, authentication",
            "SELECT upper(api.operation) AS eventName FROM api_activity ORDER BY eventName",
        ] {
            assert_eq!(replaced(text), text);
        }
    }
}
