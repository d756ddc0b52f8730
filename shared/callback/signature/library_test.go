package signature_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/infra/tools/testserver"
	"github.com/postino/postino/shared/callback/signature"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// rotated returns a secret in force, and the header that it and an older
// secret make together.
func rotated(t *testing.T, id string, at time.Time, body []byte) (secret, header string) {
	t.Helper()
	var keys []signature.Key
	for _, scheme := range []signature.Scheme{signature.V1a, signature.V1, signature.V1} {
		s, err := signature.Generate(scheme)
		if err != nil {
			t.Fatal(err)
		}
		key, err := signature.ParseSecret(s)
		if err != nil {
			t.Fatal(err)
		}
		secret, keys = s, append(keys, key)
	}
	return secret, signature.Header(keys, id, at, body)
}

func TestTheOfficialGoLibraryAccepts(t *testing.T) {
	id, at, body := "dlv_0123", time.Now(), []byte(`{"type":"flight.booked","data":{"é":1}}`)
	secret, list := rotated(t, id, at, body)
	receiver, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{}
	header.Set("webhook-id", id)
	header.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	header.Set("webhook-signature", list)
	if err := receiver.Verify(body, header); err != nil {
		t.Errorf("the library refuses our signature: %v", err)
	}
	if err := receiver.Verify(append(body, ' '), header); err == nil {
		t.Error("the library accepts another body")
	}
}

// verifyInJavaScript prints "accepted", then "refused" for a changed body.
const verifyInJavaScript = `
const { Webhook } = require("standardwebhooks");
const [secret, id, timestamp, signature, body] = process.argv.slice(1);
const headers = { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature };
for (const text of [body, body + " "]) {
  try { new Webhook(secret).verify(text, headers); console.log("accepted"); } catch (e) { console.log("refused"); }
}`

func TestTheOfficialJavaScriptLibraryAccepts(t *testing.T) {
	modules, err := filepath.Abs(testserver.Require(t, "POSTINO_NODE_MODULES"))
	if err != nil {
		t.Fatal(err)
	}
	id, at, body := "dlv_0123", time.Now(), `{"type":"flight.booked","data":{"é":1}}`
	secret, list := rotated(t, id, at, []byte(body))
	node := exec.CommandContext(t.Context(), "node", "-e", verifyInJavaScript,
		secret, id, strconv.FormatInt(at.Unix(), 10), list, body)
	node.Env = append(os.Environ(), "NODE_PATH="+modules)
	out, err := node.CombinedOutput()
	if err != nil {
		t.Fatalf("run node: %v\n%s", err, out)
	}
	if got := strings.Fields(string(out)); len(got) != 2 || got[0] != "accepted" || got[1] != "refused" {
		t.Errorf("the library answered %q, want accepted, then refused", got)
	}
}
