package sqsqueue

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/postino/postino/shared/queue"
)

// The first character of a body that is not sent as it is.
const (
	markGzip   = 'z' // base64 of gzip
	markBase64 = 'b' // base64
)

// minGzip is the size in bytes from which compressing can pay.
const minGzip = 128

// maxText is the longest body that SQS takes.
const maxText = 1 << 20

// ErrBody reports a body that Encode did not write.
var ErrBody = errors.New("message body is not of this system, or too large")

// Encode returns body as text that SQS takes: JSON of printable ASCII
// characters as it is, so that people can read and write it in a console; all
// else as base64, compressed if that makes it shorter.
func Encode(body []byte) string {
	if isPlain(body) {
		return string(body)
	}
	if len(body) >= minGzip {
		if text, ok := encodeGzip(body); ok {
			return text
		}
	}
	return encodeBase64(markBase64, body)
}

// isPlain reports whether body is sent as it is: it looks like JSON and has
// nothing but printable ASCII.
func isPlain(body []byte) bool {
	if !looksLikeJSON(body) {
		return false
	}
	for _, c := range body {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

func looksLikeJSON[T []byte | string](body T) bool {
	return len(body) > 0 && (body[0] == '{' || body[0] == '[')
}

func encodeBase64(mark byte, body []byte) string {
	text := make([]byte, 1, 1+base64.StdEncoding.EncodedLen(len(body)))
	text[0] = mark
	return string(base64.StdEncoding.AppendEncode(text, body))
}

// compressor is what compressing needs again and again.
type compressor struct {
	buf bytes.Buffer
	w   *gzip.Writer
}

var compressors = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	if err != nil {
		panic("sqsqueue: " + err.Error())
	}
	return &compressor{w: w}
}}

// encodeGzip reports false if compressed is no shorter.
func encodeGzip(body []byte) (text string, ok bool) {
	c := compressors.Get().(*compressor)
	defer compressors.Put(c)
	c.buf.Reset()
	c.w.Reset(&c.buf)
	if _, err := c.w.Write(body); err != nil {
		return "", false
	}
	if err := c.w.Close(); err != nil || c.buf.Len() >= len(body) {
		return "", false
	}
	return encodeBase64(markGzip, c.buf.Bytes()), true
}

// Decode returns the body that [Encode] made the text of, or [ErrBody]. It
// stops at [queue.MaxBody] bytes, whatever the text unpacks to.
func Decode(text string) ([]byte, error) {
	if len(text) > maxText {
		return nil, ErrBody
	}
	if looksLikeJSON(text) {
		return bounded([]byte(text))
	}
	if text == "" || text[0] != markGzip && text[0] != markBase64 {
		return nil, ErrBody
	}
	packed, err := base64.StdEncoding.Strict().DecodeString(text[1:])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBody, err)
	}
	if text[0] == markBase64 {
		return bounded(packed)
	}
	return unzip(packed)
}

var unzippers sync.Pool // of *gzip.Reader

func unzip(packed []byte) ([]byte, error) {
	r, _ := unzippers.Get().(*gzip.Reader)
	if r == nil {
		r = new(gzip.Reader)
	}
	defer unzippers.Put(r)
	if err := r.Reset(bytes.NewReader(packed)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBody, err)
	}
	body, err := io.ReadAll(io.LimitReader(r, queue.MaxBody+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBody, err)
	}
	return bounded(body)
}

// bounded refuses what no Send took.
func bounded(body []byte) ([]byte, error) {
	if len(body) == 0 || len(body) > queue.MaxBody {
		return nil, ErrBody
	}
	return body, nil
}
