//! An agent on the Rust SDK.
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rmcp::{
    ClientHandler, RoleClient, ServiceExt,
    model::{CallToolRequestParams, CallToolResult, ProgressNotificationParam},
    service::{NotificationContext, RunningService},
    transport::StreamableHttpClientTransport,
};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Play {
    case: String,
    tool: String,
    arguments: serde_json::Map<String, serde_json::Value>,
    give_up_after_ms: Option<u64>,
}

#[derive(Serialize)]
struct Seen {
    case: String,
    listed: Vec<String>,
    text: String,
    error: bool,
    progress: u64,
}

struct MyAgent {
    progress: Arc<AtomicU64>,
}

impl ClientHandler for MyAgent {
    async fn on_progress(&self, _: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        self.progress.fetch_add(1, Ordering::Relaxed);
    }
}

type Outcome = Result<CallToolResult, Box<dyn std::error::Error>>;

async fn call(client: &RunningService<RoleClient, MyAgent>, play: &Play) -> Outcome {
    let params = CallToolRequestParams::new(play.tool.clone()).with_arguments(play.arguments.clone());
    let call = client.call_tool(params);
    match play.give_up_after_ms {
        None => Ok(call.await?),
        Some(ms) => Ok(tokio::time::timeout(Duration::from_millis(ms), call).await??),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let progress = Arc::new(AtomicU64::new(0));
    let agent = MyAgent { progress: progress.clone() };
    // docs:begin
    let url = std::env::var("REMIT_MCP_DESK")?;
    let client = agent.serve(StreamableHttpClientTransport::from_uri(url)).await?;
    // docs:end
    let plays: Vec<Play> = serde_json::from_str(&std::env::args().nth(1).unwrap_or_default())?;
    for play in plays {
        progress.store(0, Ordering::Relaxed);
        let tools = client.list_all_tools().await;
        let listed = tools.iter().flatten().map(|tool| tool.name.to_string()).collect();
        let (text, error) = match call(&client, &play).await {
            Ok(result) => {
                let texts = result.content.iter().filter_map(|part| part.as_text());
                (texts.map(|part| part.text.as_str()).collect(), result.is_error == Some(true))
            }
            Err(error) => (error.to_string(), true),
        };
        let progress = progress.load(Ordering::Relaxed);
        let seen = Seen { case: play.case, listed, text, error, progress };
        println!("{}", serde_json::to_string(&seen)?);
    }
    client.cancel().await?;
    Ok(())
}
