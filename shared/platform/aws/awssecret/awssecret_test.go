package awssecret

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

const keyARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

// fakeAWS answers the JSON protocol of KMS. It wraps a key
// by putting it, with its circumstances, into the "ciphertext" in the clear.
type fakeAWS struct {
	fail     string // the target that fails
	keyBytes int    // length of data keys; 0 means 32

	mu    sync.Mutex
	made  byte // data keys made so far
	calls []string
}

type kmsRequest struct {
	KeyId, KeySpec    string
	EncryptionContext map[string]string
	CiphertextBlob    []byte
}

func (f *fakeAWS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	target := r.Header.Get("X-Amz-Target")
	f.calls = append(f.calls, target)
	var in kmsRequest
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || target == f.fail {
		refuse(w, "AccessDeniedException")
		return
	}
	circumstances := fmt.Sprintf("%s %v ", in.KeyId, in.EncryptionContext)
	switch target {
	case "TrentService.GenerateDataKey":
		f.made++
		size := 32
		if f.keyBytes != 0 {
			size = f.keyBytes
		}
		key := bytes.Repeat([]byte{f.made}, size)
		answer(w, map[string]any{"Plaintext": key, "CiphertextBlob": append([]byte(circumstances), key...), "KeyId": in.KeyId})
	case "TrentService.Decrypt":
		key, ok := bytes.CutPrefix(in.CiphertextBlob, []byte(circumstances))
		if !ok || len(in.EncryptionContext) == 0 {
			refuse(w, "InvalidCiphertextException")
			return
		}
		answer(w, map[string]any{"Plaintext": key, "KeyId": in.KeyId})
	default:
		refuse(w, "UnknownOperationException")
	}
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, kind string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(http.StatusBadRequest)
	json.NewEncoder(w).Encode(map[string]string{"__type": kind, "message": "no"})
}

// configFor loads the configuration as a function does: from the environment.
func configFor(t *testing.T, f *fakeAWS) aws.Config {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_KMS": server.URL,
		"AWS_REGION":           "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
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

// memory is a store; before runs ahead of each put, to lose a race.
type memory struct {
	mu     sync.Mutex
	key    []byte
	before func(m *memory)
	fail   error
}

func (m *memory) WrappedKey(context.Context) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.key, m.fail
}

func (m *memory) PutWrappedKey(_ context.Context, wrapped []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.before != nil {
		m.before(m)
	}
	if m.key == nil {
		m.key = wrapped
	}
	return nil
}

func TestTheDataKeyIsMadeOnceAndUnwrappedAfter(t *testing.T) {
	f, store := &fakeAWS{}, &memory{}
	cfg := configFor(t, f)
	first, err := Sealer(t.Context(), cfg, keyARN, store)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Sealer(t.Context(), cfg, keyARN, store)
	if err != nil {
		t.Fatal(err)
	}
	third, err := Opener(t.Context(), cfg, keyARN, store)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := first.Seal([]byte("hunter2"), "acme")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []interface {
		Open([]byte, ...string) ([]byte, error)
	}{second, third} {
		if got, err := s.Open(sealed, "acme"); string(got) != "hunter2" || err != nil {
			t.Errorf("after a restart Open = %q, %v, want the secret", got, err)
		}
	}
	if got := strings.Join(f.calls, " "); got != "TrentService.GenerateDataKey TrentService.Decrypt TrentService.Decrypt TrentService.Decrypt" {
		t.Errorf("calls = %s, want one key made and three unwrapped", got)
	}
}

func TestContainersThatStartTogetherUseTheFirstKey(t *testing.T) {
	f := &fakeAWS{}
	cfg := configFor(t, f)
	winner := &memory{}
	theirs, err := Sealer(t.Context(), cfg, keyARN, winner)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := Sealer(t.Context(), cfg, keyARN, &memory{before: func(m *memory) { m.key = winner.key }})
	if err != nil {
		t.Fatal(err)
	}
	sealed, _ := ours.Seal([]byte("hunter2"))
	if got, err := theirs.Open(sealed); string(got) != "hunter2" || err != nil {
		t.Errorf("the loser of the race sealed with another key: %v", err)
	}
}

func TestWhoOnlyOpensMakesNoKey(t *testing.T) {
	f := &fakeAWS{}
	if _, err := Opener(t.Context(), configFor(t, f), keyARN, &memory{}); !errors.Is(err, ErrNoDataKey) {
		t.Errorf("Opener without a key = %v, want ErrNoDataKey", err)
	}
	if len(f.calls) != 0 {
		t.Errorf("calls = %v, want none", f.calls)
	}
}

func TestFaultsOfKMSAndStoreEndTheStart(t *testing.T) {
	broken := errors.New("throttled")
	for _, tt := range []struct {
		name  string
		fake  *fakeAWS
		store *memory
		want  string
	}{
		{"may not make a key", &fakeAWS{fail: "TrentService.GenerateDataKey"}, &memory{}, "make a data key: "},
		{"may not unwrap", &fakeAWS{fail: "TrentService.Decrypt"}, &memory{}, "unwrap the data key: "},
		{"wrapped by another key", &fakeAWS{}, &memory{key: []byte("arn:other map[purpose:postino data key] " + strings.Repeat("k", 32))}, "unwrap the data key: "},
		{"wrapped for another purpose", &fakeAWS{}, &memory{key: []byte(keyARN + " map[] " + strings.Repeat("k", 32))}, "unwrap the data key: "},
		{"short key", &fakeAWS{keyBytes: 16}, &memory{}, "want data keys of 32 bytes"},
		{"store unreadable", &fakeAWS{}, &memory{fail: broken}, "read the wrapped data key: throttled"},
	} {
		sealer, err := Sealer(t.Context(), configFor(t, tt.fake), keyARN, tt.store)
		if sealer != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Sealer = %v, want an error with %q", tt.name, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 12))) {
			t.Errorf("%s: the error shows the key: %v", tt.name, err)
		}
	}
}
