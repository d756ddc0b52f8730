package e2e

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// logging is a system whose whole log can be read.
type logging interface{ logged() string }

func (s *stack) logged() string {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.text.String()
}

// shown returns the secrets of a story that stand in its system's log.
func (p *player) shown(s story) (list []string) {
	system, ok := p.system.(logging)
	if !ok {
		return nil
	}
	log := system.logged()
	for _, secret := range p.secrets(s) {
		if strings.Contains(log, secret) {
			list = append(list, secret)
		}
	}
	return list
}

// secrets are the admin key, what signed, what was put under a name, and our
// private key.
func (p *player) secrets(s story) []string {
	key := strings.Split(p.receiver.names["private_key"], `\n`)
	list := []string{adminKey, key[1]}
	p.receiver.mu.Lock()
	defer p.receiver.mu.Unlock()
	for _, path := range slices.Sorted(maps.Keys(p.receiver.secrets)) {
		for _, secret := range p.receiver.secrets[path] {
			if !strings.HasPrefix(secret, "whpk_") {
				list = append(list, secret)
			}
		}
	}
	for _, st := range s.Steps {
		var named struct{ Value string }
		if strings.Contains(st.Call, "/secrets/") && json.Unmarshal(st.Body, &named) == nil && named.Value != "" {
			list = append(list, named.Value)
		}
	}
	return list
}
