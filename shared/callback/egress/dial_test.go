package egress

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

// receiver counts the requests that reach a server on loopback.
func receiver(t *testing.T) (port string, requests func() int) {
	t.Helper()
	arrived := make(chan struct{}, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived <- struct{}{} }))
	t.Cleanup(server.Close)
	_, port, _ = net.SplitHostPort(server.Listener.Addr().String())
	return port, func() int { return len(arrived) }
}

func post(t *testing.T, g *Guard, url string) error {
	t.Helper()
	transport := NewTransport(g, nil)
	defer transport.CloseIdleConnections()
	resp, err := NewClient(transport).Post(url, "application/json", strings.NewReader("{}"))
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func TestANameThatTurnsPrivateIsRefusedWhenDialled(t *testing.T) {
	port, requests := receiver(t)
	dns := newNameserver(t)
	dns.script("rebind.example", addrs("8.8.8.8"), addrs("127.0.0.1"))
	g := &Guard{ResolverAddress: dns.address(), Allow: networks("10.0.0.0/8")}

	if err := check(g, "http://rebind.example:"+port); err != nil {
		t.Fatalf("CheckURL = %v, want it saved", err)
	}
	first, err := g.resolver().LookupNetIP(t.Context(), "ip4", "rebind.example")
	if err != nil || len(first) != 1 || first[0] != netip.MustParseAddr("8.8.8.8") {
		t.Fatalf("first look-up = %v, %v, want a public address", first, err)
	}
	err = post(t, g, "http://rebind.example:"+port)
	if !isRefused(err) || !strings.Contains(err.Error(), "127.0.0.1: this is a loopback address") {
		t.Errorf("post = %v, want 127.0.0.1 refused", err)
	}
	if got := Class(err); got != webhook.ErrorRefused {
		t.Errorf("Class(%v) = %q, want %q", err, got, webhook.ErrorRefused)
	}
	if requests() != 0 {
		t.Errorf("%d requests arrived, want none", requests())
	}
}

func TestNamesAreRefusedByWhatTheyResolveTo(t *testing.T) {
	dns := newNameserver(t)
	for name, list := range map[string][]netip.Addr{
		"loop.example":     addrs("127.0.0.1", "::1"),
		"metadata.example": addrs("169.254.169.254", "fd00:ec2::254"),
		"nat64.example":    addrs("64:ff9b::7f00:1"),
		"mapped.example":   addrs("::ffff:127.0.0.1"),
		"mixed.example":    addrs("10.0.0.1", "192.168.0.1", "100.64.0.1", "fe80::1"),
		"runtime.example":  addrs("9.9.9.9"),
	} {
		dns.script(name, list)
		g := &Guard{ResolverAddress: dns.address(), RuntimeAPI: "9.9.9.9:9001"}
		if err := check(g, "https://"+name); err != nil {
			t.Errorf("CheckURL(%s) = %v, want it saved", name, err)
		}
		if err := post(t, g, "https://"+name); !isRefused(err) || Class(err) != webhook.ErrorRefused {
			t.Errorf("post to %s = %v, want it refused", name, err)
		}
	}
}

func TestPublicAddressesAreNotReachedWithoutHTTPSWhereOthersAreAllowed(t *testing.T) {
	dns := newNameserver(t)
	dns.script("public.example", addrs("8.8.8.8"))
	g := &Guard{ResolverAddress: dns.address(), Allow: append([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, loopback...)}
	for _, url := range []string{"http://public.example", "http://public.example:443", "https://public.example:8443"} {
		if err := check(g, url); err != nil {
			t.Errorf("CheckURL(%s) = %v, want it saved", url, err)
		}
		if err := post(t, g, url); !isRefused(err) || !strings.Contains(err.Error(), "only https on port 443") {
			t.Errorf("post to %s = %v, want it refused for want of https", url, err)
		}
	}
}

func TestAllowedNetworksAreReachedByNameAndByAddress(t *testing.T) {
	port, requests := receiver(t)
	dns := newNameserver(t)
	dns.script("sub.example", addrs("127.0.0.1"))
	dns.script("both.example", addrs("10.0.0.1", "127.0.0.1")) // the first is refused, the second serves
	g := &Guard{ResolverAddress: dns.address(), Allow: loopback}
	for i, host := range []string{"sub.example", "both.example", "127.0.0.1", "localhost", "[::ffff:127.0.0.1]"} {
		if err := post(t, g, "http://"+host+":"+port); err != nil {
			t.Errorf("post to %s = %v", host, err)
		}
		if requests() != i+1 {
			t.Errorf("%d requests arrived after posting to %s, want %d", requests(), host, i+1)
		}
	}
}

func TestOwnHostsAreRefusedWhenDialledToo(t *testing.T) {
	port, requests := receiver(t)
	g := &Guard{Allow: loopback, OwnHosts: []string{"127.0.0.1:" + port}}
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]"} {
		if err := post(t, g, "http://"+host+":"+port); Class(err) != webhook.ErrorRefused {
			t.Errorf("post to our own API as %s = %v, want it refused", host, err)
		}
	}
	if requests() != 0 {
		t.Errorf("%d requests reached our own API, want none", requests())
	}
}

// TestHostsAreJudgedByNameWhenDialledToo covers what no address could tell.
func TestHostsAreJudgedByNameWhenDialledToo(t *testing.T) {
	port, requests := receiver(t)
	dns := newNameserver(t)
	g := &Guard{Allow: loopback, ResolverAddress: dns.address(), OwnHosts: []string{"own.example"}, RuntimeAPI: "runtime.example:" + port}
	for _, host := range []string{"own.example", "OWN.example.", "runtime.example", "2130706433", "127.1", "0x7f.1"} {
		dns.script(strings.ToLower(strings.TrimSuffix(host, ".")), addrs("127.0.0.1"))
		if err := post(t, g, "http://"+host+":"+port); Class(err) != webhook.ErrorRefused {
			t.Errorf("post to %s = %v, want it refused", host, err)
		}
	}
	if requests() != 0 {
		t.Errorf("%d requests arrived, want none", requests())
	}
}

func TestProxiesOfTheEnvironmentAreIgnored(t *testing.T) {
	proxy, proxied := receiver(t)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(name, "http://127.0.0.1:"+proxy)
	}
	transport := NewTransport(&Guard{Allow: loopback}, nil)
	for _, inner := range []*http.Transport{transport.secure, transport.plain.rest} {
		if inner.Proxy != nil {
			t.Error("a proxy is configured")
		}
	}
	dns := newNameserver(t)
	dns.script("sub.example", addrs("10.0.0.1"))
	if err := post(t, &Guard{Allow: loopback, ResolverAddress: dns.address()}, "http://sub.example"); !isRefused(err) || proxied() != 0 {
		t.Errorf("post = %v with %d requests at the proxy, want it refused and none", err, proxied())
	}
}

func TestTheResolverIsAskedAndBounded(t *testing.T) {
	dns := newNameserver(t)
	dns.script("sub.example", addrs("10.9.9.9"))
	g := &Guard{ResolverAddress: dns.address()}
	got, err := g.resolver().LookupNetIP(context.Background(), "ip4", "sub.example")
	if err != nil || len(got) != 1 || got[0] != netip.MustParseAddr("10.9.9.9") {
		t.Errorf("look-up = %v, %v, want the server's answer", got, err)
	}
	if (&Guard{}).resolver() != nil {
		t.Error("without an address there is a resolver of our own")
	}
}
