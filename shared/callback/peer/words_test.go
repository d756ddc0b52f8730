package peer_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/postino/postino/shared/callback/peer"
)

type refusal struct{ final bool }

func (refusal) Error() string { return "10.0.0.1: no" }
func (refusal) Why() string   { return "no" }
func (r refusal) Final() bool { return r.final }

func TestWordsSayNothingOfUsAndNothingThatTheServerSaid(t *testing.T) {
	const ours, theirs = "10.9.8.7", "hunter2"
	for _, tt := range []struct {
		err  error
		want string
	}{
		{refusal{}, "no"},
		{&net.DNSError{Err: "no such host", Name: "a.example", Server: ours + ":53", IsNotFound: true}, "no such host"},
		{&net.DNSError{Err: "server misbehaving", Name: "a.example", Server: ours + ":53"}, "could not be resolved"},
		{&net.DNSError{Err: "read udp " + ours + ":1->" + ours + ":53: i/o timeout", IsTimeout: true}, "not resolved in time"},
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "x", Server: ours}}, "could not be resolved"},
		{context.DeadlineExceeded, "in time"},
		{&net.OpError{Op: "dial", Addr: &net.TCPAddr{IP: net.ParseIP(ours)}, Err: syscall.ECONNREFUSED}, "connection refused"},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, "unknown authority"},
		{&tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{"b.example"}}, Host: "a.example"}}, "not a.example"},
		{&tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired, Detail: "current time " + ours}}, "expired"},
		{io.ErrUnexpectedEOF, "closed before the answer was complete"},
		{fmt.Errorf("malformed HTTP response %q", theirs), "not HTTP"},
		{fmt.Errorf("malformed MIME header line: %s", theirs), "headers are malformed"},
		{fmt.Errorf("http2: server sent GOAWAY and closed the connection; debug=%q", theirs), "broke HTTP/2"},
		{errors.New(theirs + " of " + ours), "the connection broke"},
	} {
		got := peer.Words(&url.Error{Op: "Post", URL: "https://" + theirs, Err: tt.err})
		if !strings.Contains(got, tt.want) || strings.Contains(got, ours) || strings.Contains(got, theirs) {
			t.Errorf("Words(%v) = %q, want words about %q", tt.err, got, tt.want)
		}
	}
}

func TestOnlyARefusalIsFinal(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want bool
	}{{nil, false}, {io.EOF, false}, {refusal{}, false}, {refusal{true}, true}, {fmt.Errorf("post: %w", refusal{true}), true}} {
		if got := peer.Final(tt.err); got != tt.want {
			t.Errorf("Final(%v) = %v, want %v", tt.err, got, tt.want)
		}
	}
}
