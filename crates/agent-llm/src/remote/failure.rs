//! Errors of `genai` in the words of the domain.

use crate::failure::{bounded, from_event, from_status, from_transport};
use agent_core::model::ModelError;
use genai::Error;

/// Reads an error; `host` is named where the transport failed.
pub(crate) fn from_genai(error: Error, host: &str) -> ModelError {
    match error {
        Error::HttpError { status, body, headers, .. } => from_status(status.as_u16(), &headers, &body),
        Error::WebModelCall { webc_error, .. } | Error::WebAdapterCall { webc_error, .. } => {
            from_web(webc_error, host)
        }
        Error::WebStream { error, cause, .. } => match error.downcast::<Error>() {
            Ok(inner) => from_genai(*inner, host),
            Err(other) => match other.downcast::<reqwest::Error>() {
                Ok(transport) => from_transport(*transport, host),
                Err(_) => ModelError::Malformed(bounded(&cause)),
            },
        },
        Error::ChatResponse { body, .. } => from_event(&body),
        Error::StreamParse { serde_error, .. } => ModelError::Malformed(serde_error.to_string()),
        Error::JsonValueExt(error) => ModelError::Malformed(bounded(&error.to_string())),
        Error::SerdeJson(error) => ModelError::Malformed(error.to_string()),
        Error::InvalidJsonResponseElement { info } => ModelError::Malformed(info.to_owned()),
        Error::NoChatResponse { .. } => ModelError::Malformed("the answer holds no message".into()),
        Error::RequiresApiKey { .. } | Error::NoAuthData { .. } | Error::NoAuthResolver { .. } => {
            ModelError::Misconfigured("the provider needs a key: set AGENT_LLM_API_KEY".into())
        }
        // This one would print the whole request.
        Error::ChatResponseGeneration { cause, .. } => ModelError::Malformed(bounded(&cause)),
        other => ModelError::Refused(bounded(&other.to_string())),
    }
}

fn from_web(error: genai::webc::Error, host: &str) -> ModelError {
    match error {
        genai::webc::Error::ResponseFailedStatus { status, body, headers } => {
            from_status(status.as_u16(), &headers, &body)
        }
        genai::webc::Error::Reqwest(error) => from_transport(error, host),
        genai::webc::Error::ResponseFailedNotJson { body, .. }
        | genai::webc::Error::ResponseFailedInvalidJson { body, .. } => ModelError::Malformed(bounded(&body)),
        other => ModelError::Malformed(bounded(&other.to_string())),
    }
}
