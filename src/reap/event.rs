//! What a run reports while it goes on, and the outcome for each process.

use super::kernel::Signal;
use crate::plan::{Target, TargetMember};

/// A step of one process.
#[derive(Clone, Debug)]
pub struct MemberEvent<'a> {
    /// The instance.
    pub target: &'a Target,
    /// The process.
    pub member: &'a TargetMember,
    /// What happens to it.
    pub step: Step,
}

/// What is about to happen, or has happened, to a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// This signal is about to be sent.
    Intent(Signal),
    /// It was sent.
    Signalled(Signal),
    /// It has an outcome now.
    Ended(Outcome),
}

/// Keeps the record of a run.
pub trait Recorder {
    /// Why a record could not be kept.
    type Error;

    /// Puts intents where they outlast a crash, before any of them is carried out.
    ///
    /// # Errors
    /// When that cannot be promised; then none of them is carried out.
    fn intend(&mut self, intents: &[MemberEvent<'_>]) -> Result<(), Self::Error>;

    /// Notes something that has happened.
    ///
    /// # Errors
    /// When it could not be noted; no further signal is sent.
    fn note(&mut self, event: &MemberEvent<'_>) -> Result<(), Self::Error>;
}

/// What became of one process. Each planned member has exactly one outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Ended on SIGTERM, or by itself while we waited.
    Exited,
    /// Ended on SIGKILL.
    Killed,
    /// Still there after SIGKILL, or after SIGTERM when the run had to stop before SIGKILL.
    Survived,
    /// It may not be held or signalled, and why.
    Denied(String),
    /// Gone before any signal.
    Vanished,
    /// Left alone after all, and why.
    Withheld(String),
}

impl Outcome {
    /// The word for tables and logs.
    pub fn as_str(&self) -> &'static str {
        match self {
            Outcome::Exited => "exited",
            Outcome::Killed => "killed",
            Outcome::Survived => "survived",
            Outcome::Denied(_) => "denied",
            Outcome::Vanished => "vanished",
            Outcome::Withheld(_) => "withheld",
        }
    }

    /// Is the process gone?
    pub fn is_gone(&self) -> bool {
        matches!(self, Outcome::Exited | Outcome::Killed | Outcome::Vanished)
    }
}

/// What became of a plan.
#[derive(Debug)]
pub struct RunReport<E> {
    /// One for each process that was planned or found during the run.
    pub results: Vec<Ended>,
    /// Why the record could not be kept. No signal was sent after that.
    pub failed: Option<E>,
}

/// What became of one process.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// Index into the plan's targets.
    pub target: usize,
    /// The process.
    pub member: TargetMember,
    /// What became of it.
    pub outcome: Outcome,
}

#[cfg(test)]
mod tests {
    use super::Outcome;

    #[test]
    fn each_outcome_has_its_word_and_only_three_of_them_are_an_end() {
        let why = || "x".to_owned();
        let facts = |outcome: &Outcome| (outcome.as_str(), outcome.is_gone());
        for (outcome, expected) in [
            (Outcome::Exited, ("exited", true)),
            (Outcome::Killed, ("killed", true)),
            (Outcome::Survived, ("survived", false)),
            (Outcome::Denied(why()), ("denied", false)),
            (Outcome::Vanished, ("vanished", true)),
            (Outcome::Withheld(why()), ("withheld", false)),
        ] {
            assert_eq!(facts(&outcome), expected);
        }
    }
}
