//! Progress bars on stderr; nothing is drawn when stderr is no terminal.

use std::borrow::Cow;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const TICK: Duration = Duration::from_millis(200);

/// A bar over bytes; a spinner when their number is not known.
pub(crate) fn bytes(total: Option<u64>, what: impl Into<Cow<'static, str>>) -> ProgressBar {
    let Some(total) = total else { return spinner(what) };
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    let style = "{bar:30} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {wide_msg}";
    dressed(bar, style).with_message(what)
}

/// A bar over things.
pub(crate) fn count(total: u64, what: impl Into<Cow<'static, str>>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    dressed(bar, "{bar:30} {pos}/{len} {wide_msg}").with_message(what)
}

/// Something that takes a while.
pub(crate) fn spinner(what: impl Into<Cow<'static, str>>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.enable_steady_tick(TICK);
    dressed(bar, "{spinner} {decimal_bytes} {wide_msg}").with_message(what)
}

fn dressed(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
