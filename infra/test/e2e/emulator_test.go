package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/postino/postino/infra/tools/testserver"
)

// TestIngestRunsInTheOfficialRuntimeInterfaceEmulator holds our own Runtime API
// against AWS's.
func TestIngestRunsInTheOfficialRuntimeInterfaceEmulator(t *testing.T) {
	emulator := testserver.Require(t, "POSTINO_RIE")
	on := deploy(t, settings{asleep: true})
	address := emulate(t, on, emulator, "Ingest")
	payload, err := os.ReadFile("../../../events/ingest.json")
	if err != nil {
		t.Fatal(err)
	}
	var request events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(payload, &request); err != nil {
		t.Fatal(err)
	}
	request.Headers["authorization"] = "Bearer " + adminKey
	if payload, err = json.Marshal(request); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post("http://"+address+"/2015-03-31/functions/function/invocations", "application/json", bytes.NewReader(payload))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(text, &answer); err != nil || answer.StatusCode != http.StatusAccepted {
		t.Fatalf("ingest answers %s, want 202", text)
	}
	if n := on.visible("Events"); n != 1 {
		t.Errorf("%d messages in events, want 1", n)
	}
}

// emulate runs a function in the emulator and returns the address that takes
// invocations.
func emulate(t *testing.T, on *stack, emulator, function string) (address string) {
	t.Helper()
	f := on.functions[function]
	address = freeAddress(t)
	cmd := exec.Command(emulator, "--runtime-interface-emulator-address", address, "--runtime-api-address", freeAddress(t), f.program)
	cmd.Env = append(f.env, fmt.Sprintf("AWS_LAMBDA_FUNCTION_TIMEOUT=%d", int(f.timeout.Seconds())))
	cmd.Stdout, cmd.Stderr = on.log, on.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if why := eventually(ctx, func() string {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return err.Error()
		}
		conn.Close()
		return ""
	}); why != "" {
		t.Fatal(why)
	}
	return address
}

// freeAddress is an address that nobody listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
