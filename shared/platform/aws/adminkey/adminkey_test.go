package adminkey

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// fakeAWS answers the JSON protocol of Secrets Manager.
type fakeAWS struct {
	secret string // the answer to GetSecretValue, as JSON
	fails  bool
}

func (f *fakeAWS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if f.fails || r.Header.Get("X-Amz-Target") != "secretsmanager.GetSecretValue" {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"__type":"AccessDeniedException","message":"no"}`)
		return
	}
	fmt.Fprint(w, f.secret)
}

// configFor loads the configuration as a function does: from the environment.
func configFor(t *testing.T, f *fakeAWS) aws.Config {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": server.URL,
		"AWS_REGION":                       "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
	} {
		t.Setenv(name, value)
	}
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRetryMaxAttempts(1))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestTheAdminKeyIsReadAndStaysOutOfSight(t *testing.T) {
	f := &fakeAWS{secret: `{"SecretString":" 0123456789abcdef0123\n"}`}
	cfg := configFor(t, f)
	key, err := Read(t.Context(), cfg, "arn:aws:secretsmanager:eu-west-1:111122223333:secret:postino")
	if err != nil || key.Reveal() != "0123456789abcdef0123" {
		t.Errorf("Read = %q, %v, want the key without space", key.Reveal(), err)
	}
	if fmt.Sprint(key) != "***" {
		t.Errorf("the key prints as %v", key)
	}
	for _, bad := range []string{`{}`, `{"SecretString":""}`, `{"SecretString":"tooshort7"}`, `{"SecretBinary":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM="}`} {
		f.secret = bad
		if key, err := Read(t.Context(), cfg, "postino"); key != "" || err == nil || strings.Contains(err.Error(), "tooshort7") {
			t.Errorf("Read with %s = %v, %v, want an error without the key", bad, key, err)
		}
	}
	f.fails = true
	if _, err := Read(t.Context(), cfg, "postino"); err == nil || !strings.Contains(err.Error(), "read the admin key postino: ") {
		t.Errorf("Read that may not be read = %v, want an error that names the secret", err)
	}
}
