package cosign

import "maps"

// presets are the signatures of other senders, by name.
var presets = map[string]Signature{
	"github":  {Header: "X-Hub-Signature-256", Text: "{{ body }}", Prefix: "sha256="},
	"shopify": {Header: "X-Shopify-Hmac-Sha256", Text: "{{ body }}", Encoding: "base64"},
	"slack": {
		Header: "X-Slack-Signature", Text: "v0:{{ timestamp }}:{{ body }}", Prefix: "v0=",
		Headers: map[string]string{"X-Slack-Request-Timestamp": "{{ timestamp }}"},
	},
	"stripe": {Header: "Stripe-Signature", Text: "{{ timestamp }}.{{ body }}", Prefix: "t={{ timestamp }},v1="},
	"svix": {
		Header: "Svix-Signature", Text: "{{ id }}.{{ timestamp }}.{{ body }}", Prefix: "v1,", Encoding: "base64",
		Headers: map[string]string{"Svix-Id": "{{ id }}", "Svix-Timestamp": "{{ timestamp }}"},
	},
	"twilio": {Header: "X-Twilio-Signature", Text: "{{ url }}{{ form }}", Hash: "sha1", Encoding: "base64"},
}

// whole is a signature with what its preset and the defaults say.
func (s Signature) whole() Signature {
	if preset, ok := presets[s.Preset]; ok {
		preset.Secret, preset.Headers = s.Secret, maps.Clone(preset.Headers)
		s = preset
	}
	if s.Hash == "" {
		s.Hash = "sha256"
	}
	if s.Encoding == "" {
		s.Encoding = "hex"
	}
	return s
}
