// An agent on the Go SDK.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type play struct {
	Case          string         `json:"case"`
	Tool          string         `json:"tool"`
	Arguments     map[string]any `json:"arguments"`
	GiveUpAfterMs int            `json:"giveUpAfterMs"`
}

type seen struct {
	Case     string   `json:"case"`
	Listed   []string `json:"listed"`
	Text     string   `json:"text"`
	Error    bool     `json:"error"`
	Progress int64    `json:"progress"`
}

var progress atomic.Int64

func connect(ctx context.Context) (*mcp.ClientSession, error) {
	options := &mcp.ClientOptions{
		ProgressNotificationHandler: func(context.Context, *mcp.ProgressNotificationClientRequest) { progress.Add(1) },
	}
	// docs:begin
	client := mcp.NewClient(&mcp.Implementation{Name: "my-agent", Version: "1.0.0"}, options)
	transport := &mcp.StreamableClientTransport{Endpoint: os.Getenv("REMIT_MCP_DESK")}
	session, err := client.Connect(ctx, transport, nil)
	// docs:end
	return session, err
}

func try(ctx context.Context, session *mcp.ClientSession, one play) seen {
	result := seen{Case: one.Case, Listed: []string{}}
	failed := func(err error) seen {
		result.Text, result.Error, result.Progress = err.Error(), true, progress.Load()
		return result
	}
	tools, err := session.ListTools(ctx, nil)
	if err != nil {
		return failed(err)
	}
	for _, tool := range tools.Tools {
		result.Listed = append(result.Listed, tool.Name)
	}
	if one.GiveUpAfterMs > 0 {
		limited, cancel := context.WithTimeout(ctx, time.Duration(one.GiveUpAfterMs)*time.Millisecond)
		defer cancel()
		ctx = limited
	}
	params := &mcp.CallToolParams{Name: one.Tool, Arguments: one.Arguments}
	params.SetProgressToken(one.Case)
	answer, err := session.CallTool(ctx, params)
	if err != nil {
		return failed(err)
	}
	for _, part := range answer.Content {
		if text, ok := part.(*mcp.TextContent); ok {
			result.Text += text.Text
		}
	}
	result.Error, result.Progress = answer.IsError, progress.Load()
	return result
}

func main() {
	var plays []play
	if err := json.Unmarshal([]byte(os.Args[1]), &plays); err != nil {
		panic(err)
	}
	ctx := context.Background()
	session, err := connect(ctx)
	if err != nil {
		panic(err)
	}
	for _, one := range plays {
		progress.Store(0)
		line, err := json.Marshal(try(ctx, session, one))
		if err != nil {
			panic(err)
		}
		fmt.Println(string(line))
	}
	_ = session.Close()
}
