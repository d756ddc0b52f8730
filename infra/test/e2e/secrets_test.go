package e2e

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"sync"
)

// secrets answers the calls that are made to KMS and Secrets Manager, for which
// there is no local server.
type secrets struct {
	mu   sync.Mutex
	keys map[string]dataKey // by what wraps them
}

type dataKey struct {
	plain   []byte
	key     string // the KMS key
	context map[string]string
}

// ServeHTTP answers one call of AWS's JSON protocol 1.1.
func (s *secrets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		KeyID             string `json:"KeyId"`
		CiphertextBlob    []byte
		EncryptionContext map[string]string
		SecretID          string `json:"SecretId"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var out any
	switch target := r.Header.Get("X-Amz-Target"); {
	case target == "TrentService.GenerateDataKey" && in.KeyID == sealingKey:
		out = s.generate(dataKey{random(32), in.KeyID, in.EncryptionContext})
	case target == "TrentService.Decrypt":
		k := s.wrapped(in.CiphertextBlob)
		if k.key == in.KeyID && maps.Equal(k.context, in.EncryptionContext) {
			out = map[string]any{"KeyId": k.key, "Plaintext": k.plain}
		}
	case target == "secretsmanager.GetSecretValue" && in.SecretID == adminKeySecret:
		out = map[string]any{"ARN": in.SecretID, "SecretString": adminKey}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if out == nil {
		w.WriteHeader(http.StatusBadRequest)
		out = map[string]string{"__type": "AccessDeniedException", "message": "not in this test"}
	}
	json.NewEncoder(w).Encode(out)
}

func (s *secrets) generate(k dataKey) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	wrapped := random(64)
	s.keys[string(wrapped)] = k
	return map[string]any{"KeyId": k.key, "Plaintext": k.plain, "CiphertextBlob": wrapped}
}

func (s *secrets) wrapped(by []byte) dataKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys[string(by)]
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
