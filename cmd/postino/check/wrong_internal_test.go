package check

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"
)

// Names that nobody has, and hosts that are silent, cannot be had on a machine
// whose network is not known.
func TestAnEndpointThatCannotBeReachedIsExplained(t *testing.T) {
	to := &url.URL{Scheme: "https", Host: "abc123.execute-api.eu-west-1.amazonaws.com"}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&url.Error{Op: "Get", Err: &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: to.Host, IsNotFound: true}}}, "there is no host abc123.execute-api.eu-west-1.amazonaws.com: has the stack been deleted"},
		{&url.Error{Op: "Get", Err: context.DeadlineExceeded}, "did not answer within 35s: does a firewall drop the packets?"},
		{errors.New("something else"), "something else"},
	} {
		if got := unreachable(tt.err, to); !strings.Contains(got.Error(), tt.want) {
			t.Errorf("%v is explained as %v, want %q", tt.err, got, tt.want)
		}
	}
}
