//! What the agent counts, as it is when somebody asks.

use super::PREFIX;
use crate::traces::SpanFigures;
use agent_runtime::{Agent, CommittedFigures, Distribution, Figures, ProcessFigures};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, MetricEncoder, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use std::fmt;

/// The figures of one moment.
#[derive(Debug)]
pub(super) struct Snapshot {
    figures: Figures,
    sessions: usize,
    spans: Option<SpanFigures>,
    started_at: f64,
}

/// Labels with their values.
type Labels<'l, const N: usize> = [(&'static str, &'l str); N];

impl Snapshot {
    pub(super) fn new(agent: &Agent, sessions: usize, spans: Option<SpanFigures>) -> Self {
        let figures = agent.figures();
        let now = agent.clock().now().as_micros() as f64 / 1e6;
        let started_at = now - figures.uptime.as_secs_f64();
        Self { figures, sessions, spans, started_at }
    }
}

impl Collector for Snapshot {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        let version = env!("CARGO_PKG_VERSION");
        page.gauges("build_info", "The version that runs", [([("version", version)], 1_i64)])?;
        page.gauge("websocket_connections", "Open WebSocket connections", self.sessions as i64)?;
        self.work(&mut page)?;
        self.storage(&mut page)?;
        self.outside(&mut page)?;
        if let Some(spans) = self.spans {
            let SpanFigures { exported, dropped, failed } = spans;
            let spans = [("exported", exported), ("dropped", dropped), ("failed", failed)];
            let spans = spans.map(|(outcome, count)| ([("outcome", outcome)], count));
            page.counters("trace_spans", "Spans of traces, by what became of them", spans)?;
        }
        self.process(&mut page)
    }
}

impl Snapshot {
    /// What is being worked on, and was.
    fn work(&self, page: &mut Page<'_>) -> fmt::Result {
        let executor = &self.figures.executor;
        page.gauge("plans_in_hand", "Plans that are driven here", executor.plans as i64)?;
        page.gauge("slots", "Attempts that may run at once", executor.slots as i64)?;
        page.gauge("slots_taken", "Attempts that run", executor.running as i64)?;
        page.gauge("tasks_waiting", "Tasks that are ready, and wait for a slot", executor.waiting as i64)?;
        let attempts = executor.attempts.iter();
        let attempts =
            attempts.map(|ended| ([("kind", ended.kind), ("outcome", ended.outcome)], ended.count));
        page.counters("attempts", "Attempts that came to an end here", attempts)?;
        let CommittedFigures { events, steps, takeovers } = &self.figures.committed;
        let steps =
            steps.iter().map(|step| ([("tool", step.tool.as_str()), ("status", step.status)], step.count));
        page.counters("steps", "Calls of tools within attempts", steps)?;
        page.counter("lease_takeovers", "Plans taken over from a worker that vanished", *takeovers)?;
        let events = events.iter().map(|(name, count)| ([("event", *name)], *count));
        page.counters("events_committed", "Events committed here", events)
    }

    /// How it is kept.
    fn storage(&self, page: &mut Page<'_>) -> fmt::Result {
        let commits = &self.figures.commits;
        page.counter("commits", "Commits of the database, each with its fsync", commits.seconds.count())?;
        page.histogram("commit_batch_size", "Transactions that shared a commit", &commits.batch_sizes)?;
        page.histogram("commit_duration_seconds", "Time for a commit to be durable", &commits.seconds)
    }

    /// What was asked of others.
    fn outside(&self, page: &mut Page<'_>) -> fmt::Result {
        let models = &self.figures.models;
        let calls = models.iter().flat_map(|figures| {
            let ends =
                [("ok", figures.answered), ("error", figures.failed), ("cancelled", figures.cancelled)];
            ends.map(|(outcome, count)| ([("model", figures.model.as_str()), ("outcome", outcome)], count))
        });
        page.counters("model_calls", "Calls of language models", calls)?;
        let tokens = models.iter().flat_map(|figures| {
            let directions = [("input", figures.input_tokens), ("output", figures.output_tokens)];
            directions.map(|(direction, count)| {
                ([("model", figures.model.as_str()), ("direction", direction)], count)
            })
        });
        page.counters("model_tokens", "Tokens that language models read and wrote", tokens)?;
        let costs = models.iter().map(|figures| ([("model", figures.model.as_str())], figures.cost));
        page.counters("model_cost_dollars", "Cost of the answers, as far as prices are known", costs)?;
        let deliveries = self.figures.deliveries;
        let deliveries = [
            ("delivered", deliveries.delivered),
            ("failed", deliveries.failed),
            ("given_up", deliveries.given_up),
        ];
        let deliveries = deliveries.map(|(outcome, count)| ([("outcome", outcome)], count));
        page.counters("webhook_deliveries", "Calls of webhooks", deliveries)
    }

    /// What the process uses, under the names that every exporter has for it.
    fn process(&self, page: &mut Page<'_>) -> fmt::Result {
        page.plain_gauge("process_start_time_seconds", "Start, in seconds since 1970", self.started_at)?;
        let Some(process) = self.figures.process else { return Ok(()) };
        let ProcessFigures { resident_bytes, cpu, threads, open_files, max_open_files } = process;
        page.plain_gauge("process_resident_memory_bytes", "Memory in RAM", resident_bytes as f64)?;
        page.plain_gauge("process_threads", "Threads", threads as f64)?;
        page.plain_gauge("process_open_fds", "Open files and sockets", open_files as f64)?;
        if let Some(most) = max_open_files {
            page.plain_gauge("process_max_fds", "Files and sockets that may be open", most as f64)?;
        }
        let mut metric = page.0.encode_descriptor(
            "process_cpu_seconds",
            "Time on processors",
            None,
            MetricType::Counter,
        )?;
        metric.encode_counter::<NoLabelSet, f64, f64>(&cpu.as_secs_f64(), None)
    }
}

/// The text in the making.
struct Page<'e>(DescriptorEncoder<'e>);

impl Page<'_> {
    fn family<'p>(
        &'p mut self,
        name: &'p str,
        help: &str,
        kind: MetricType,
    ) -> Result<MetricEncoder<'p>, fmt::Error> {
        self.0.encode_descriptor(name, help, None, kind)
    }

    fn gauge(&mut self, name: &str, help: &str, value: i64) -> fmt::Result {
        let name = named(name);
        self.family(&name, help, MetricType::Gauge)?.encode_gauge(&value)
    }

    /// A gauge whose name has no prefix of ours.
    fn plain_gauge(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        self.family(name, help, MetricType::Gauge)?.encode_gauge(&value)
    }

    fn gauges<'l, V: EncodeGaugeValue, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels<'l, N>, V)>,
    ) -> fmt::Result {
        let name = named(name);
        let mut family = self.family(&name, help, MetricType::Gauge)?;
        values.into_iter().try_for_each(|(labels, value)| family.encode_family(&labels)?.encode_gauge(&value))
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let name = named(name);
        self.family(&name, help, MetricType::Counter)?.encode_counter::<NoLabelSet, u64, f64>(&value, None)
    }

    fn counters<'l, V: EncodeCounterValue, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels<'l, N>, V)>,
    ) -> fmt::Result {
        let name = named(name);
        let mut family = self.family(&name, help, MetricType::Counter)?;
        values.into_iter().try_for_each(|(labels, value)| {
            family.encode_family(&labels)?.encode_counter::<NoLabelSet, V, f64>(&value, None)
        })
    }

    fn histogram(&mut self, name: &str, help: &str, values: &Distribution) -> fmt::Result {
        let name = named(name);
        // The encoder wants the last bound as the largest number there is.
        let buckets: Vec<(f64, u64)> =
            values.buckets.iter().map(|(bound, count)| (bound.min(f64::MAX), *count)).collect();
        let mut family = self.family(&name, help, MetricType::Histogram)?;
        family.encode_histogram::<NoLabelSet>(values.sum, values.count(), &buckets, None)
    }
}

fn named(name: &str) -> String {
    format!("{PREFIX}_{name}")
}
