import io.modelcontextprotocol.client.McpClient;
import io.modelcontextprotocol.client.McpSyncClient;
import io.modelcontextprotocol.client.transport.HttpClientStreamableHttpTransport;
import io.modelcontextprotocol.json.McpJsonDefaults;
import io.modelcontextprotocol.json.TypeRef;
import io.modelcontextprotocol.spec.McpSchema;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** An agent on the Java SDK. */
public final class Main {
    private static final AtomicInteger progress = new AtomicInteger();

    private static McpSyncClient connect(Duration patience) {
        // docs:begin
        var transport = HttpClientStreamableHttpTransport.builder(System.getenv("REMIT_MCP_DESK"))
            .endpoint(System.getenv("REMIT_MCP_DESK")) // else it asks at /mcp
            .build();
        var client = McpClient.sync(transport)
            .requestTimeout(patience) // 20 seconds unless told otherwise
            .progressConsumer(notification -> progress.incrementAndGet())
            .build();
        client.initialize();
        // docs:end
        return client;
    }

    private static Map<String, Object> play(McpSyncClient client, Map<String, Object> one) {
        progress.set(0);
        var seen = new LinkedHashMap<String, Object>();
        seen.put("case", one.get("case"));
        seen.put("listed", List.of());
        try {
            seen.put("listed", client.listTools().tools().stream().map(McpSchema.Tool::name).toList());
            @SuppressWarnings("unchecked")
            var arguments = (Map<String, Object>) one.get("arguments");
            var request = McpSchema.CallToolRequest.builder((String) one.get("tool"))
                .arguments(arguments)
                .progressToken((String) one.get("case"))
                .build();
            var result = client.callTool(request);
            var text = new StringBuilder();
            for (var part : result.content())
                if (part instanceof McpSchema.TextContent content) text.append(content.text());
            seen.put("text", text.toString());
            seen.put("error", Boolean.TRUE.equals(result.isError()));
        } catch (RuntimeException error) {
            seen.put("text", String.valueOf(error.getMessage()));
            seen.put("error", true);
        }
        seen.put("progress", progress.get());
        return seen;
    }

    public static void main(String[] args) throws Exception {
        var json = McpJsonDefaults.getMapper();
        var plays = json.readValue(args[0], new TypeRef<List<Map<String, Object>>>() {});
        var client = connect(Duration.ofSeconds(60));
        for (var one : plays) {
            var limit = (Number) one.get("giveUpAfterMs");
            // How long it waits is a matter of the whole client here.
            var player = limit == null ? client : connect(Duration.ofMillis(limit.longValue()));
            System.out.println(json.writeValueAsString(play(player, one)));
            if (player != client) player.close();
        }
        client.close();
        System.exit(0);
    }
}
