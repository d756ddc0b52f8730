package check

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
)

// address returns the endpoint without a slash at its end, or what is wrong
// with it.
func address(endpoint string) (string, error) {
	to, err := url.Parse(endpoint)
	switch {
	case err != nil || to.Scheme != "http" && to.Scheme != "https" || to.Host == "":
		return "", fmt.Errorf("-endpoint is %q: want an address such as https://abc123.execute-api.eu-west-1.amazonaws.com, the output Endpoint of the stack", endpoint)
	case strings.Trim(to.Path, "/") != "" || to.RawQuery != "" || to.Fragment != "":
		return "", fmt.Errorf("-endpoint is %q: leave out what follows the host, and write %s://%s", endpoint, to.Scheme, to.Host)
	}
	return to.Scheme + "://" + to.Host, nil
}

// usable says what is wrong with the form of a key, such as what a shell makes of
// a command that failed.
func usable(key string) error {
	switch {
	case strings.TrimSpace(key) != key || strings.ContainsAny(key, "\r\n\t "):
		return errors.New("-key has a blank or a line break: want only what the output AdminKeyCommand prints")
	case key == "None" || strings.HasPrefix(key, "arn:"):
		return fmt.Errorf("-key is %q, which is no key: run the output AdminKeyCommand, and take what it prints", key)
	}
	return nil
}

// refusal is an answer that is no success.
type refusal struct {
	status int
	code   string // "" if it is not one of Postino's
	detail string
}

func (r *refusal) Error() string {
	if r.code == "" {
		return fmt.Sprintf("status %d: %s", r.status, r.detail)
	}
	return fmt.Sprintf("status %d, %s: %s", r.status, r.code, r.detail)
}

// refused is what an answer that is no success says.
func refused(resp *http.Response, text []byte) *refusal {
	no := &refusal{status: resp.StatusCode}
	var problem struct{ Code, Detail, Message string }
	_ = json.Unmarshal(text, &problem) // else it is not one of Postino's
	switch gateway, known := gatewaySays[problem.Message]; {
	case problem.Code != "":
		no.code, no.detail = problem.Code, problem.Detail
	case known:
		no.detail = gateway
	case resp.Header.Get("Location") != "":
		no.detail = fmt.Sprintf("it redirects to %s: name the address of Postino itself", resp.Header.Get("Location"))
	case strings.Contains(string(text), "HTTP request to an HTTPS server"):
		no.detail = "it speaks https: write https:// in -endpoint"
	default:
		no.detail = stranger(resp.Header, text).Error()
	}
	return no
}

// gatewaySays tells what the answers of API Gateway itself mean for a stack.
var gatewaySays = map[string]string{
	"Not Found":             "API Gateway answers, but has no such route: is the stack CREATE_COMPLETE or UPDATE_COMPLETE, and is this its output Endpoint?",
	"Forbidden":             "API Gateway answers, but knows no API under this name: does the domain have its mapping, and is the stack complete?",
	"Internal Server Error": "API Gateway answers, but its function does not: is the stack complete, and what does the log of manage say?",
	"Service Unavailable":   "API Gateway answers, but its function did not in time, or Lambda throttles it: look at the account's concurrent executions, and at the log of manage",
	"Too Many Requests":     "API Gateway throttles: raise PublishRate, or try again later",
}

// stranger says that an answer is of another server.
func stranger(header http.Header, text []byte) error {
	kind, _, _ := strings.Cut(header.Get("Content-Type"), ";")
	if kind == "text/html" {
		return errors.New("the response is a web page and not from Postino: a proxy or a login page may be in between")
	}
	return fmt.Errorf("the response is not from Postino: %.100q", text)
}

// unreachable says why no answer came, and what to do.
func unreachable(err error, to *url.URL) error {
	var name x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var expired x509.CertificateInvalidError
	var plain tls.RecordHeaderError
	var dns *net.DNSError
	switch {
	case errors.As(err, &name):
		return fmt.Errorf("the certificate is for %s and not for %s: name the server as the certificate does, or give it the right one", strings.Join(name.Certificate.DNSNames, ", "), to.Hostname())
	case errors.As(err, &unknown):
		return fmt.Errorf("the certificate of %s is of an authority that this machine does not know: give the server its whole chain, or let the machine trust the authority", to.Host)
	case errors.As(err, &expired):
		return fmt.Errorf("the certificate of %s is not valid, %s: renew it, or compare the clock of this machine", to.Host, expired.Error())
	case errors.As(err, &plain), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return fmt.Errorf("%s does not speak https: write http:// in -endpoint if that is right", to.Host)
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Errorf("there is no host %s: has the stack been deleted, or does its domain have no DNS record yet?", to.Hostname())
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens at %s: does the server run, with this port in -addr?", to.Host)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s did not answer within %v: does a firewall drop the packets?", to.Host, callTimeout)
	}
	return err
}
