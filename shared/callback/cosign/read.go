package cosign

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/textproto"
	"regexp"
	"slices"
	"strings"

	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/language/suggest"
)

// fields are those of a signature, in the order in which they are explained.
var fields = []string{"preset", "header", "text", "prefix", "hash", "encoding", "headers", "secret"}

// Read reads the signature field of a subscription as its owner wrote it. An
// empty list gives nil. Faults name the field, and never repeat a secret.
func Read(v strictjson.Value) (*List, []render.Fault) {
	if v.Kind() != strictjson.Array || v.Len(maxSignatures) > maxSignatures {
		return nil, []render.Fault{{Field: "signature", Detail: fmt.Sprintf("want a list of at most %d signatures", maxSignatures)}}
	}
	r := &reader{}
	list := &List{}
	taken := map[string]bool{}
	for i, element := range v.Elements() {
		r.at = fmt.Sprintf("signature[%d]", i)
		if element.Kind() != strictjson.Object {
			r.fault("", "want an object")
			continue
		}
		written := r.signature(element)
		ready := r.ready(written)
		for _, name := range ready.names() {
			if taken[name] {
				r.fault("", "the header %s is set twice", name)
			}
			taken[name] = true
		}
		list.written, list.ready = append(list.written, written), append(list.ready, ready)
	}
	if len(r.faults) > 0 || len(list.ready) == 0 {
		return nil, r.faults
	}
	return list, nil
}

// Decode reads what [List.Encode] wrote; nil bytes give nil.
func Decode(b []byte) (*List, error) {
	if b == nil {
		return nil, nil
	}
	v, err := strictjson.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("read signatures: not what was written")
	}
	list, faults := Read(v)
	if len(faults) > 0 {
		return nil, fmt.Errorf("read signatures: %s: %s", faults[0].Field, faults[0].Detail)
	}
	return list, nil
}

// reader notes what is wrong.
type reader struct {
	at     string // the signature being read
	faults []render.Fault
}

func (r *reader) fault(field, format string, args ...any) {
	if field != "" {
		field = "." + field
	}
	r.faults = append(r.faults, render.Fault{Field: r.at + field, Detail: fmt.Sprintf(format, args...)})
}

// signature reads the members.
func (r *reader) signature(v strictjson.Value) (s Signature) {
	texts := map[string]*string{
		"preset": &s.Preset, "header": &s.Header, "text": &s.Text, "prefix": &s.Prefix, "hash": &s.Hash, "encoding": &s.Encoding,
	}
	for name, member := range v.Members() {
		into, isText := texts[name]
		switch {
		case isText:
			*into = r.text(name, member)
		case name == "headers":
			s.Headers = r.headers(member)
		case name == "secret":
			s.Secret = json.RawMessage(member.Compact())
		default:
			r.fault(name, "unknown field%s", suggest.Hint(name, fields))
		}
	}
	return s
}

func (r *reader) text(field string, v strictjson.Value) string {
	text, ok := v.Text()
	if !ok || len(text) > maxText {
		r.fault(field, "want a text of at most %d bytes", maxText)
		return ""
	}
	return text
}

func (r *reader) headers(v strictjson.Value) map[string]string {
	if v.Kind() != strictjson.Object || v.Len(maxCompanions) > maxCompanions {
		r.fault("headers", "want an object of at most %d headers", maxCompanions)
		return nil
	}
	headers := map[string]string{}
	for name, value := range v.Members() {
		headers[name] = r.text("headers."+strictjson.Clip(name, maxHeader), value)
	}
	return headers
}

// ready judges a signature and prepares it.
func (r *reader) ready(written Signature) *signer {
	if !r.preset(written) {
		return &signer{}
	}
	s := written.whole()
	ready := &signer{new: hashes[s.Hash], encode: encodings[s.Encoding], decodes: written.Preset == "svix"}
	if ready.new == nil {
		r.fault("hash", "want sha256, sha1 or sha512")
	}
	if ready.encode == nil {
		r.fault("encoding", "want hex or base64")
	}
	if s.Text == "" && written.Preset == "" {
		r.fault("text", "required, or give a preset")
	}
	ready.header = r.header("header", s.Header)
	ready.text = r.template("text", s.Text, inText)
	ready.prefix = r.value("prefix", s.Prefix)
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		ready.beside = append(ready.beside, companion{r.header("headers."+name, name), r.value("headers."+name, s.Headers[name])})
	}
	ready.secret = r.secret(ready, s.Secret)
	return ready
}

// preset judges the name of a preset and what stands beside it; false means
// that there is no such preset.
func (r *reader) preset(s Signature) bool {
	if s.Preset == "" {
		return true
	}
	if _, known := presets[s.Preset]; !known {
		names := slices.Sorted(maps.Keys(presets))
		r.fault("preset", "want one of %s%s", strings.Join(names, ", "), suggest.Hint(s.Preset, names))
		return false
	}
	if s.Header+s.Text+s.Prefix+s.Hash+s.Encoding != "" || s.Headers != nil {
		r.fault("preset", "stands with secret only: for another header or text, leave it out")
	}
	return true
}

var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$")

// header judges the name of a header.
func (r *reader) header(field, name string) string {
	switch why := render.RefusedHeader(strings.ToLower(name)); {
	case name == "":
		r.fault(field, "required, or give a preset")
	case !headerName.MatchString(name):
		r.fault(field, "want the name of a header")
	case why != "":
		r.fault(field, "this header cannot be set: %s", why)
	}
	return textproto.CanonicalMIMEHeaderKey(name)
}

func (r *reader) template(field, text string, allowed []string) template {
	t, wrong := parse(text, allowed)
	if wrong != "" {
		r.fault(field, "%s", wrong)
	}
	return t
}

// value is a template whose text can stand in a header.
func (r *reader) value(field, text string) template {
	if strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' }) {
		r.fault(field, "want printable ASCII")
	}
	return r.template(field, text, inHeader)
}

var named = regexp.MustCompile(`^\{\{\s*secrets\.([a-z0-9_-]{1,64})\s*\}\}$`)

// secret reads a secret: a text, one that has a name, or bytes.
func (r *reader) secret(s *signer, written json.RawMessage) (found secret) {
	const want = `want a text, {"raw": "…"}, {"base64": "…"} or "{{ secrets.name }}"`
	v, err := strictjson.Parse(written)
	if written == nil || err != nil {
		r.fault("secret", "required: %s", want)
		return found
	}
	text, isText := v.Text()
	isBase64 := false
	if v.Kind() == strictjson.Object && v.Len(2) == 1 {
		for name, member := range v.Members() {
			text, isText = member.Text()
			isText = isText && (name == "raw" || name == "base64")
			isBase64 = name == "base64"
		}
	} else if name := named.FindStringSubmatch(text); name != nil {
		return secret{name: name[1]}
	} else if strings.Contains(text, "{{") || strings.Contains(text, "{%") {
		r.fault("secret", `want no template but "{{ secrets.name }}" alone; a secret with {{ in it is {"raw": "…"}`)
		return found
	}
	switch {
	case !isText || text == "" || len(text) > maxSecret:
		r.fault("secret", "%s, of 1 to %d bytes", want, maxSecret)
	case text == render.Stars:
		r.fault("secret", "*** stands for a secret that is not shown: give the secret itself, or the whole signature as it is shown")
	case isBase64:
		if found.key, err = base64.StdEncoding.Strict().DecodeString(text); err != nil || len(found.key) == 0 {
			r.fault("secret.base64", "want padded standard base64")
		}
	case s.decodes && v.Kind() == strictjson.String:
		ok := false
		if found.key, ok = decoded(text); !ok {
			r.fault("secret", "want whsec_ and base64, as Svix shows it")
		}
	default:
		found.key = []byte(text)
	}
	found.text = text
	return found
}
