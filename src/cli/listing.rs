//! The options that list instances: which of them, in which order, and how much of each.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use crate::classify::{Finding, Verdict};
use crate::pattern::Pattern;
use crate::render::Order;

/// Which instances to show, and how much of each.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// Only these.
    #[command(flatten)]
    pub wanted: Wanted,

    /// Show the processes of each instance.
    #[arg(long, short)]
    pub tree: bool,

    /// Show swap, CPU (the average over its life), ports, terminal and conversation too, as a terminal of 140 columns
    /// does by itself.
    #[arg(long, short)]
    pub wide: bool,

    /// What stands on top: the verdict that matters most, the oldest, the largest, or the busiest over its life.
    #[arg(long, value_enum, value_name = "BY", default_value_t)]
    pub sort: Order,

    /// Ask docker and podman, too, by a local socket and for three seconds at most: containers of MCP images whose
    /// `docker run` is gone. They are shown, never ended.
    #[arg(long, conflicts_with_all = ["watch", "snapshot", "configured", "Wanted"])]
    pub containers: bool,

    /// Show what your clients are configured to start, each with its running instances, and the
    /// instances that no configuration names.
    #[arg(long, conflicts_with_all = ["tree", "wide", "watch", "snapshot", "sort", "Wanted"])]
    pub configured: bool,

    /// Look again every two seconds, until `q`.
    #[arg(long, conflicts_with_all = ["json", "snapshot"])]
    pub watch: bool,
}

/// Which instances: all that fit every flag given.
#[derive(Args, Clone, Debug, Default)]
pub struct Wanted {
    /// Only servers of these names; a pattern is taken too (context7-mcp, 'mcp-*').
    #[arg(value_name = "NAME", value_parser = Pattern::parse)]
    pub names: Vec<Pattern>,

    /// Only of this client: its name, a pattern or its pid.
    #[arg(long, value_name = "CLIENT", value_parser = Pattern::parse)]
    pub client: Option<Pattern>,

    /// Only with this verdict; several with a comma between.
    #[arg(long, value_name = "VERDICT", value_delimiter = ',', value_parser = verdicts())]
    pub verdict: Vec<Verdict>,
}

fn verdicts() -> impl clap::builder::TypedValueParser<Value = Verdict> {
    let of = |word: String| Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == word);
    PossibleValuesParser::new(Verdict::ALL.map(Verdict::as_str))
        .try_map(move |word| of(word).ok_or("no verdict"))
}

impl Wanted {
    /// Is every instance wanted?
    pub(crate) fn is_all(&self) -> bool {
        self.names.is_empty() && self.client.is_none() && self.verdict.is_empty()
    }

    /// Is this instance wanted?
    pub(crate) fn takes(&self, finding: &Finding<'_>) -> bool {
        let server = &finding.instance.server;
        let name = self.names.is_empty() || self.names.iter().any(|name| name.matches(server));
        let client = self.client.as_ref().is_none_or(|wanted| {
            let of = finding.client.as_ref();
            of.is_some_and(|client| wanted.matches(&client.name) || wanted.matches(&client.pid.to_string()))
        });
        name && client && (self.verdict.is_empty() || self.verdict.contains(&finding.verdict))
    }
}
