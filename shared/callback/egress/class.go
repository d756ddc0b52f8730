package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/postino/postino/shared/webhook"
)

// Class names what an error of [Transport] or http.Client, or of reading an
// answer's body, means in an attempt's record. The first row that fits decides:
//
//	the guard refused it                     refused_address
//	context.Canceled: our own doing          ""
//	the name did not resolve                 dns
//	a deadline passed: the request's, that
//	of dialling or that of the handshake     timeout
//	certificate or handshake                 tls
//	nobody accepted the connection           connect
//	anything later: hung up, broke HTTP      reset
//
// It is "" for nil too.
func Class(err error) webhook.ErrorClass {
	for _, row := range classes {
		if row.fits(err) {
			return row.class
		}
	}
	return webhook.ErrorReset
}

var classes = []struct {
	class webhook.ErrorClass
	fits  func(error) bool
}{
	{"", func(err error) bool { return err == nil }},
	{webhook.ErrorRefused, is[*Refused]},
	{"", func(err error) bool { return errors.Is(err, context.Canceled) }},
	{webhook.ErrorDNS, is[*net.DNSError]},
	{webhook.ErrorTimeout, timedOut},
	{webhook.ErrorTLS, isTLS},
	{webhook.ErrorConnect, func(err error) bool { return opOf(err) == "dial" }},
}

func is[E error](err error) bool {
	var target E
	return errors.As(err, &target)
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// isTLS knows the errors of verifying a certificate, of an answer that is no
// TLS, the alerts of either side, which crypto/tls wraps in an OpError, and by
// their prefix those that have no type.
func isTLS(err error) bool {
	if is[*tls.CertificateVerificationError](err) || is[tls.RecordHeaderError](err) || errors.Is(err, http.ErrSchemeMismatch) {
		return true
	}
	op := opOf(err)
	return op == "remote error" || op == "local error" || strings.HasPrefix(innermost(err).Error(), "tls: ")
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

// opOf returns what package net was doing when it failed, or "".
func opOf(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Op
	}
	return ""
}
