package peer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"unicode/utf8"
)

// Refusal is the error of a way out that does not lead there; see egress.
type Refusal interface {
	error
	Why() string // in words for whoever chose the destination
	Final() bool // trying again later is no use
}

// Final reports whether err is a refusal that no later try can change.
func Final(err error) bool {
	var r Refusal
	return errors.As(err, &r) && r.Final()
}

// Words says why a request failed, for whoever owns the subscription. They
// never hold the url, an address of ours (such as that of the DNS server), or
// anything that the server said after it got the request: that may be a secret.
func Words(err error) string {
	for _, row := range words {
		if text, fits := row(err); fits {
			return text
		}
	}
	return "the connection broke"
}

// words hold what an error may be, the first that fits.
var words = []func(error) (text string, fits bool){
	func(err error) (string, bool) {
		var r Refusal
		if !errors.As(err, &r) {
			return "", false
		}
		return r.Why(), true
	},
	nameWords,
	func(err error) (string, bool) {
		late := errors.Is(err, context.DeadlineExceeded)
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
			late = true
		}
		return "no complete answer in time", late
	},
	tlsWords,
	func(err error) (string, bool) {
		number, ok := errors.AsType[syscall.Errno](err)
		return number.Error(), ok
	},
	func(err error) (string, bool) {
		return "the connection was closed before the answer was complete", errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	},
	brokenWords,
}

// nameWords leaves out which server was asked.
func nameWords(err error) (string, bool) {
	dns, ok := errors.AsType[*net.DNSError](err)
	switch {
	case !ok:
		return "", false
	case dns.IsNotFound:
		return "no such host", true
	case dns.IsTimeout:
		return "the host's name was not resolved in time", true
	}
	return "the host's name could not be resolved", true
}

// tlsWords keeps the library's own words: all of this happens before the
// request is sent.
func tlsWords(err error) (string, bool) {
	inner := innermost(err).Error()
	certificate := false
	if v, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		inner, certificate = v.Err.Error(), true
	}
	known := certificate || strings.HasPrefix(inner, "tls: ") || strings.HasPrefix(inner, "x509: ")
	if text := invalid(err); text != "" {
		inner = text
	}
	return clip(inner), known
}

// invalid says what is wrong with a certificate without the time that our
// clock shows.
func invalid(err error) string {
	if c, ok := errors.AsType[x509.CertificateInvalidError](err); ok && c.Reason == x509.Expired {
		return "x509: certificate has expired or is not yet valid"
	}
	return ""
}

// brokenWords knows the errors of net/http that have no type, by how they
// begin. Most go on with what the server said.
func brokenWords(err error) (string, bool) {
	text := innermost(err).Error()
	for _, row := range broken {
		if strings.Contains(text, row.part) {
			return row.words, true
		}
	}
	return "", false
}

var broken = []struct{ part, words string }{
	{"server response headers exceeded", "the answer's headers are longer than 64 KiB"},
	{"header list too large", "the answer's headers are longer than 64 KiB"},
	{"more than was asked for", "the server sent more than was asked for"},
	{"server gave HTTP response to HTTPS client", "the server speaks http on this port, not https"},
	{"malformed HTTP", "the answer is not HTTP"},
	{"malformed MIME header", "the answer's headers are malformed"},
	{"malformed chunked encoding", "the answer's chunks are malformed"},
	{"invalid byte in chunk length", "the answer's chunks are malformed"},
	{"http2: ", "the server broke HTTP/2"},
	{"stream error", "the server aborted the request"},
	{"connection error", "the server broke HTTP/2"},
}

func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// clip keeps the first 200 bytes of a text, ending between characters.
func clip(text string) string {
	const most = 200
	if len(text) > most {
		n := most
		for n > 0 && !utf8.RuneStart(text[n]) {
			n--
		}
		text = text[:n]
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
