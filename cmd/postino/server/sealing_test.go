package server_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/server"
)

// lives starts a server on a folder and stops it.
func lives(t *testing.T, data, adminKey string) error {
	t.Helper()
	s, err := server.Start(t.Context(), server.Config{
		Addr: "127.0.0.1:0", Data: data, AdminKey: adminKey, TestClock: true, Version: "test", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return s.Close(ctx)
}

// keyLine is one key of a file of keys.
func keyLine(b byte) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32)) + "\n"
}

func TestAServerStartsOnlyWithTheKeysThatSealedItsData(t *testing.T) {
	data := t.TempDir()
	file := filepath.Join(data, "sealing.key")
	for _, tt := range []struct {
		what, keys string
		starts     bool
	}{
		{"the first key", keyLine(1), true},
		{"the same", keyLine(1), true},
		{"another", keyLine(2), false},
		{"a new one before it", keyLine(2) + keyLine(1), true},
		{"the new one alone", keyLine(2), false},
		{"the old one alone", keyLine(1), false},
		{"both, the other way round", keyLine(1) + keyLine(2), true},
		{"both and a third", keyLine(3) + keyLine(2) + keyLine(1), true},
	} {
		if err := os.WriteFile(file, []byte(tt.keys), 0o600); err != nil {
			t.Fatal(err)
		}
		err := lives(t, data, key)
		if (err == nil) != tt.starts {
			t.Errorf("with %s: %v, want it to start: %t", tt.what, err, tt.starts)
		}
		if err != nil && (!strings.Contains(err.Error(), file) || strings.Contains(err.Error(), strings.TrimSpace(keyLine(2)))) {
			t.Errorf("with %s it said %q, want %s named and no key", tt.what, err, file)
		}
	}
}

func TestAnAdminKeyThatIsEasilyGuessedOrCannotBeSentIsRefused(t *testing.T) {
	for _, tt := range []struct {
		key  string
		good bool
	}{
		{"a", false}, {strings.Repeat("x", 15), false}, {strings.Repeat("x", 16), true}, {strings.Repeat("x", 512), true}, {strings.Repeat("x", 513), false},
		{"sixteen-and-more ", false}, {" sixteen-and-more", false}, {"sixteen and more", false}, {"sixteen-and-more\n", false}, {"sixteen-änd-more!", false},
		{"sixteen-and-more\u00a0", false}, {"pk_!#$%&'()*+,-./:;<=>?@[]^_`{|}~", true},
	} {
		if err := lives(t, t.TempDir(), tt.key); (err == nil) != tt.good || err != nil && !strings.Contains(err.Error(), "POSTINO_ADMIN_KEY") {
			t.Errorf("start with the admin key %q: %v, want it to start: %t", tt.key, err, tt.good)
		}
		if strings.TrimSpace(tt.key) != tt.key {
			continue // of a file the ends are dropped
		}
		data := t.TempDir()
		if err := os.WriteFile(filepath.Join(data, "admin.key"), []byte(tt.key+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := lives(t, data, ""); (err == nil) != tt.good || err != nil && !strings.Contains(err.Error(), "admin.key") {
			t.Errorf("start with %q in admin.key: %v, want it to start: %t", tt.key, err, tt.good)
		}
	}
}
