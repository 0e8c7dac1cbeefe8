//! How times and signals are written in a record.

/// RFC 3339 in UTC with milliseconds, as every time in our JSON.
pub(super) mod millis {
    use chrono::{DateTime, SecondsFormat, Utc};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(in crate::audit) fn serialize<S: Serializer>(
        at: &DateTime<Utc>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Millis, true))
    }

    pub(in crate::audit) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<DateTime<Utc>, D::Error> {
        DateTime::deserialize(deserializer)
    }
}

/// Signals by their short names.
pub(super) mod signal_name {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::reap::Signal;

    pub(in crate::audit) fn serialize<S: Serializer>(
        signal: &Signal,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        signal.serialize(serializer)
    }

    pub(in crate::audit) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Signal, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "TERM" => Ok(Signal::Term),
            "CONT" => Ok(Signal::Cont),
            "KILL" => Ok(Signal::Kill),
            other => Err(D::Error::unknown_variant(other, &["TERM", "CONT", "KILL"])),
        }
    }
}
