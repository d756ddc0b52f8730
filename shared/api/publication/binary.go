package publication

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/webhook"
)

const (
	canonicalPrefix = "Ce-" // as net/http writes it
	headerPrefix    = "ce-" // as people write it
)

// isBinary reports whether the headers say that the body is the data of a
// CloudEvent. One required attribute is enough: the others are then missed.
func isBinary(header http.Header) bool {
	for _, name := range []string{"Ce-Specversion", "Ce-Type", "Ce-Id", "Ce-Source"} {
		if header[name] != nil {
			return true
		}
	}
	return false
}

// binary reads a CloudEvent whose attributes are headers and whose data is the
// body, which is kept with the white space around it. No body means no data.
func (d *decoder) binary(r *httpapi.Request, media string) (Publication, error) {
	if media != "" && !isJSON(media) {
		return Publication{}, httpapi.UnsupportedMediaType.Problem("Only CloudEvents with JSON data are supported.")
	}
	body, err := r.Read()
	if err != nil {
		return Publication{}, err
	}
	var faults httpapi.Faults
	c := d.newCloudEvent(headerPrefix, &faults)
	size := len(body) + c.headers(r.Header)
	if media != "" {
		c.content(r.Header.Get("Content-Type"))
	}
	if size > webhook.MaxEventSize {
		return Publication{}, tooLarge("body")
	}
	if len(body) > 0 {
		if _, err := httpapi.ParseJSON(body); err != nil {
			return Publication{}, err
		}
		c.event.Data = json.RawMessage(body)
	}
	e := d.complete(c.finish(), 0)
	return Publication{Events: []webhook.Event{e}, Single: true, Size: size}, faults.Err()
}

// headers takes the attributes, by name so that the same event is always
// written the same, and returns their size.
func (c *cloudEvent) headers(header http.Header) (size int) {
	for _, key := range slices.Sorted(maps.Keys(header)) {
		name, ok := strings.CutPrefix(key, canonicalPrefix)
		if !ok {
			continue
		}
		name = strings.ToLower(name)
		values := header[key]
		size += len(key) + len(values[0])
		if len(values) > 1 {
			c.faults.Add(c.prefix+name, "given more than once")
			continue
		}
		c.header(name, values[0])
	}
	return size
}

// content takes the Content-Type, which is the data's.
func (c *cloudEvent) content(value string) {
	v, err := quoted(value)
	if err != nil {
		c.faults.Add("Content-Type", "want ASCII")
		return
	}
	c.attribute("datacontenttype", v)
}

func (c *cloudEvent) header(name, value string) {
	switch name {
	case "data", "datacontenttype":
		c.faults.Add(c.prefix+name, "cannot be a header: data is the body, and its type is Content-Type")
		return
	}
	v, err := quoted(decodeHeader(value))
	if err != nil {
		c.faults.Add(c.prefix+name, "want UTF-8")
		return
	}
	c.attribute(name, v)
}

// decodeHeader undoes what CloudEvents' HTTP binding does to a value: first
// quotes around it with \ before a quote or \, then %XX. A % that begins no
// such triple stands for itself: many senders encode nothing.
func decodeHeader(value string) string {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		value = unescape(value[1 : len(value)-1])
	}
	if !strings.Contains(value, "%") {
		return value
	}
	b := make([]byte, 0, len(value))
	for i := 0; i < len(value); i++ {
		if value[i] == '%' && i+2 < len(value) && isHex(value[i+1]) && isHex(value[i+2]) {
			b = append(b, fromHex(value[i+1])<<4|fromHex(value[i+2]))
			i += 2
			continue
		}
		b = append(b, value[i])
	}
	return string(b)
}

func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b = append(b, s[i])
	}
	return string(b)
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

func fromHex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}
