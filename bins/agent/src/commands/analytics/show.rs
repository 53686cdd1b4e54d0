//! Figures as they are printed.

use crate::output::{Style, Terminal};
use crate::sparkline::sparkline;
use crate::table::{Cell, Column, Table, number, text};
use agent_client::{FiguresBy, FiguresPage, Performance, Period, PlanFigures, Summary, Task, TaskFigures};

/// Everything: the figures together, the last day and month, and the tasks worth a look.
pub(super) fn everything(terminal: &Terminal, summary: &Summary, performance: &Performance) {
    let totals = &summary.performance_report.totals;
    if totals.executions == 0 {
        terminal.line("nothing was executed yet");
        return;
    }
    terminal.line(format_args!(
        "{} executions of {} tasks: {} succeeded, {} failed ({}); mean of the tasks {}",
        totals.executions,
        totals.tasks,
        totals.successes,
        totals.failures,
        percent(totals.success_rate),
        percent(summary.average_success_rate)
    ));
    terminal.line(format_args!(
        "took {} in the mean, half up to {}, 95 % up to {}, 99 % up to {}; {} model tokens{}",
        took(totals.avg_duration),
        took(totals.p50),
        took(totals.p95),
        took(totals.p99),
        totals.tokens,
        cost(totals.cost)
    ));
    if summary.performance_report.is_behind {
        terminal.line("more was executed than is counted yet; ask again in a while");
    }
    terminal.line("");
    periods(terminal, "last 24 hours", &performance.hourly_summary);
    periods(terminal, "last 30 days ", &performance.daily_summary);
    slowest(terminal, performance);
    failing(terminal, performance);
    reasons(terminal, performance);
    trending(terminal, performance);
}

fn periods(terminal: &Terminal, title: &str, periods: &[Period]) {
    let counts = sparkline(periods.iter().map(|period| period.execution_count));
    let all: u64 = periods.iter().map(|period| period.execution_count).sum();
    let failed: u64 = periods.iter().map(|period| period.failure_count).sum();
    let counts = terminal.paint(Style::Cyan, counts);
    terminal.line(format_args!("{title}  {counts}  {all} executions, {failed} failed"));
}

/// A table under a title, where it has rows.
fn titled<const COLUMNS: usize>(terminal: &Terminal, title: &str, table: &Table<COLUMNS>) {
    if !table.is_empty() {
        terminal.line(format_args!("\n{}", terminal.paint(Style::Bold, title)));
        table.show(terminal);
    }
}

fn slowest(terminal: &Terminal, performance: &Performance) {
    let columns = [
        number("task"),
        number("plan"),
        text("what"),
        number("executions"),
        number("mean"),
        number("longest"),
    ];
    let mut table = Table::new(columns);
    for slow in &performance.performance_report.slowest_tasks {
        table.row([
            slow.task_id.into(),
            slow.plan_id.into(),
            slow.description.as_str().into(),
            slow.execution_count.into(),
            took(slow.avg_duration).into(),
            took(slow.max_duration).into(),
        ]);
    }
    titled(terminal, "Slowest tasks", &table);
}

fn failing(terminal: &Terminal, performance: &Performance) {
    let columns = [
        number("task"),
        number("plan"),
        text("what"),
        number("executions"),
        number("failed"),
        text("last error"),
    ];
    let mut table = Table::new(columns);
    for failing in &performance.performance_report.most_failing_tasks {
        table.row([
            failing.task_id.into(),
            failing.plan_id.into(),
            failing.description.as_str().into(),
            failing.execution_count.into(),
            Cell::styled(failing.failure_count, Style::Red),
            failing.last_error.as_deref().unwrap_or_default().into(),
        ]);
    }
    titled(terminal, "Most failing tasks", &table);
}

fn reasons(terminal: &Terminal, performance: &Performance) {
    let mut table = Table::new([number("failed"), text("why")]);
    for reason in &performance.performance_report.failure_reasons {
        table.row([
            Cell::styled(reason.count, Style::Red),
            reason.reason.as_deref().unwrap_or("other reasons").into(),
        ]);
    }
    titled(terminal, "Why executions fail", &table);
}

/// The figures of each template, user or model.
pub(super) fn each(terminal: &Terminal, by: FiguresBy, page: &FiguresPage) {
    if page.figures.is_empty() {
        terminal.line(format_args!("nothing was executed yet that counts for {}", by.as_str()));
        return;
    }
    let subject = match by {
        FiguresBy::Templates => "template",
        FiguresBy::Users => "user",
        FiguresBy::Models => "model",
    };
    let mut table = Table::new([
        text(subject),
        number("executions"),
        number("failed"),
        number("succeeded"),
        number("mean"),
        number("p95"),
        number("tokens"),
        number("cost"),
    ]);
    for figures in &page.figures {
        table.row([
            figures.subject.as_str().into(),
            figures.execution_count.into(),
            figures.failure_count.into(),
            percent(figures.success_rate).into(),
            took(figures.avg_duration).into(),
            took(figures.p95).into(),
            figures.tokens.into(),
            format!("${:.4}", figures.cost).into(),
        ]);
    }
    table.show(terminal);
}

fn trending(terminal: &Terminal, performance: &Performance) {
    let columns = [
        number("task"),
        number("plan"),
        text("what"),
        number("executions"),
        number("succeeded"),
        number("score"),
    ];
    let mut table = Table::new(columns);
    for busy in &performance.trending_tasks {
        table.row([
            busy.task_id.into(),
            busy.plan_id.into(),
            busy.description.as_str().into(),
            busy.execution_count.into(),
            percent(busy.success_rate).into(),
            format!("{:.2}", busy.score).into(),
        ]);
    }
    titled(terminal, "Executed most lately", &table);
}

/// The figures of a plan and of its tasks.
pub(super) fn plan(terminal: &Terminal, figures: &PlanFigures, tasks: &[Task]) {
    terminal.line(format_args!(
        "plan {}: {} executions, {} succeeded, {} failed ({}); {} together, {} in the mean; {} model tokens\n",
        figures.plan_id,
        figures.execution_count,
        figures.success_count,
        figures.failure_count,
        percent(figures.success_rate),
        took(figures.total_duration),
        took(figures.avg_duration),
        figures.tokens
    ));
    let mut table = Table::new(FIGURES);
    for of_task in &figures.tasks {
        let task = tasks.iter().find(|task| task.id == of_task.task_id);
        table.row(row(of_task, task.map_or("", |task| &task.spec.description)));
    }
    if !table.is_empty() {
        table.show(terminal);
    }
}

/// The figures of a task.
pub(super) fn task(terminal: &Terminal, figures: &TaskFigures) {
    terminal.line(format_args!(
        "task {}: {} executions, {} succeeded, {} failed ({})",
        figures.task_id,
        figures.execution_count,
        figures.success_count,
        figures.failure_count,
        percent(figures.success_rate)
    ));
    terminal.line(format_args!(
        "took {} to {}, {} in the mean, deviation {}; half up to {}, 95 % up to {}, 99 % up to {}",
        took(figures.min_duration),
        took(figures.max_duration),
        took(figures.avg_duration),
        took(figures.std_dev),
        took(figures.p50),
        took(figures.p95),
        took(figures.p99)
    ));
    terminal.line(format_args!("results of {} bytes", figures.total_results_length));
}

const FIGURES: [Column; 8] = [
    number("task"),
    text("what"),
    number("executions"),
    number("succeeded"),
    number("mean"),
    number("p50"),
    number("p95"),
    number("longest"),
];

fn row(figures: &TaskFigures, what: &str) -> [Cell; 8] {
    [
        figures.task_id.into(),
        what.into(),
        figures.execution_count.into(),
        percent(figures.success_rate).into(),
        took(figures.avg_duration).into(),
        took(figures.p50).into(),
        took(figures.p95).into(),
        took(figures.max_duration).into(),
    ]
}

/// Seconds as a person reads them.
fn took(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.0} ms", seconds * 1000.0) } else { format!("{seconds:.1} s") }
}

/// What was paid, where anything was.
fn cost(dollars: f64) -> String {
    if dollars > 0.0 { format!(", ${dollars:.4}") } else { String::new() }
}

fn percent(share: f64) -> String {
    format!("{share:.0} %")
}
