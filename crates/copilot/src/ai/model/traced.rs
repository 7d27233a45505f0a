//! A call of the model as a span, with the names that OpenTelemetry's conventions give to what is known of it; never with what is
//! said in it.

use llm::{Failure, Provider, Reply, Request};
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use crate::traces::{self, span};

/// Asks the model.
pub(super) async fn complete(
    provider: &Provider,
    request: &Request,
    until: Instant,
) -> Result<Reply, Failure> {
    let span = chat(provider, request);
    let outcome = provider.complete(request, until).instrument(span.clone()).await;
    let usage = match &outcome {
        Ok(reply) => {
            span.record("gen_ai.response.model", reply.model.as_str());
            reply.usage
        }
        Err(failure) => {
            traces::failed(&span, failure.slug());
            failure.usage()
        }
    };
    if let Some(usage) = usage {
        span.record("gen_ai.usage.input_tokens", usage.prompt_tokens.cast_signed());
        span.record("gen_ai.usage.output_tokens", usage.completion_tokens.cast_signed());
    }
    outcome
}

fn chat(provider: &Provider, request: &Request) -> Span {
    span!(
        "chat",
        otel.name = format!("chat {}", provider.model()),
        otel.kind = "client",
        otel.status_code = Empty,
        gen_ai.operation.name = "chat",
        gen_ai.provider.name = provider.kind(),
        gen_ai.request.model = provider.model(),
        gen_ai.request.max_tokens = i64::from(request.max_output_tokens),
        gen_ai.response.model = Empty,
        gen_ai.usage.input_tokens = Empty,
        gen_ai.usage.output_tokens = Empty,
        server.address = provider.host(),
        error.type = Empty
    )
}
