package subscription

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/callback/secret"
	"github.com/postino/postino/shared/callback/signature"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// schemes are what signing can be; the first is the default.
var schemes = []string{string(signature.V1), string(signature.V1a)}

func readSigning(d *draft, v strictjson.Value) {
	d.Signing = d.oneOf("signing", v, schemes)
	d.Subscription.Signing = d.Signing
}

func resetSigning(s *webhook.Subscription) { s.Signing = schemes[0] }

// prefixes are how the secrets of each scheme begin that sign, not verify.
var prefixes = map[string]string{string(signature.V1): "whsec_", string(signature.V1a): "whsk_"}

// readSecret reads a secret that the caller chose. What is wrong with it is
// said without repeating any of it.
func readSecret(d *draft, v strictjson.Value) {
	if v.Kind() == strictjson.Object {
		d.foreignSecret(v)
		return
	}
	s, ok := v.Text()
	if !ok {
		d.faults.Add("secret", `want a string, or {"raw": "…"} or {"base64": "…"}`)
		return
	}
	if strings.HasPrefix(s, "whpk_") {
		d.publicKey(s)
		return
	}
	judge := signature.Standard
	if len(d.now.Secrets) > 0 { // it is only compared with the one that is there
		judge = func(s string) error { _, err := signature.ParseSecret(s); return err }
	}
	if err := judge(s); err != nil {
		d.faults.Add("secret", "%s", err)
		return
	}
	d.Secret = secret.String(s)
}

// foreignSecret reads a key from elsewhere: the bytes of a text, or of base64.
func (d *draft) foreignSecret(v strictjson.Value) {
	var key []byte
	given := 0
	for name, member := range v.Members() {
		text, ok := member.Text()
		var err error
		switch given++; {
		case name != "raw" && name != "base64":
			d.faults.Unknown("secret", name, []string{"raw", "base64"})
		case !ok:
			d.faults.Add("secret."+name, "want a string")
		case name == "raw":
			key = []byte(text)
		default:
			if key, err = base64.StdEncoding.Strict().DecodeString(text); err != nil {
				d.faults.Add("secret.base64", "want padded standard base64")
			}
		}
	}
	if given != 1 {
		d.faults.Add("secret", `want {"raw": "…"} or {"base64": "…"}`)
	}
	s, err := signature.Bytes(key)
	if err != nil && !d.faults.Any() {
		d.faults.Add("secret", "%s", err)
	}
	d.Secret = secret.String(s)
}

// publicKey takes the public half of what signs now, which is what is shown of
// it, and changes nothing.
func (d *draft) publicKey(s string) {
	if len(d.now.Secrets) == 0 || d.now.Secrets[0].Public != s {
		d.faults.Add("secret", "is a public key of another key pair: want a private key, whsk_…")
	}
}

// schemeOf returns the scheme of a secret that is well formed.
func schemeOf(s secret.String) string {
	key, err := signature.ParseSecret(s.Reveal())
	if err != nil {
		return ""
	}
	return string(key.Scheme())
}

// settleSigning refuses a secret that does not sign as is said; if nothing is
// said, the secret tells.
func (d *draft) settleSigning() {
	if d.Secret == "" {
		return
	}
	own := schemeOf(d.Secret)
	if d.Signing != "" && d.Signing != own {
		d.faults.Add("secret", "want a secret that begins with %s, for signing %s", prefixes[d.Signing], d.Signing)
	}
	d.Subscription.Signing = own
}

const (
	defaultOverlap = retry.Day
	maxOverlap     = 30 * retry.Day
	noOverlap      = "0s" // the one length of nothing that the API takes
)

// Rotation asks for another signing secret.
type Rotation struct {
	Secret  secret.String // as given, well formed; "" if not
	Signing string        // as given, or as the secret tells; "" if neither does
	Overlap time.Duration // how long the one before signs too; 0 ends it and all older ones at once
}

// ReadRotation reads {["secret","signing","overlap"]}; null is absent. Its
// error is a problem that names every fault.
func ReadRotation(body strictjson.Value) (Rotation, error) {
	r := Rotation{Overlap: defaultOverlap}
	if body.Kind() != strictjson.Object {
		return r, httpapi.Invalid(httpapi.FieldError{Field: "body", Detail: "want an object"})
	}
	var d draft
	for name, v := range body.Members() {
		switch read, ok := rotationFields[name]; {
		case !ok:
			d.faults.Unknown("", name, slices.Sorted(maps.Keys(rotationFields)))
		case v.Kind() != strictjson.Null:
			read(&d, &r, v)
		}
	}
	d.settleSigning()
	r.Secret, r.Signing = d.Secret, d.Subscription.Signing
	return r, d.faults.Err()
}

var rotationFields = map[string]func(*draft, *Rotation, strictjson.Value){
	"secret":  func(d *draft, _ *Rotation, v strictjson.Value) { readSecret(d, v) },
	"signing": func(d *draft, _ *Rotation, v strictjson.Value) { readSigning(d, v) },
	"overlap": func(d *draft, r *Rotation, v strictjson.Value) {
		text := d.text("overlap", v)
		if text == noOverlap {
			r.Overlap = 0
			return
		}
		overlap, err := retry.ParseDuration(text)
		if v.Kind() == strictjson.String && (err != nil || overlap > maxOverlap) {
			d.faults.Add("overlap", `want a duration of at most %s, like "24h"; "0s" ends the old secret at once`, retry.FormatDuration(maxOverlap))
		}
		r.Overlap = overlap
	},
}
