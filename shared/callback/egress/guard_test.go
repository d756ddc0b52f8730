package egress

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/postino/postino/shared/callback/peer"
)

// refusedAddresses are never dialled, over https and on port 443 either.
var refusedAddresses = []string{
	"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255",
	"127.0.0.1", "127.255.255.254", "169.254.0.1", "169.254.169.253", "169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.100.1",
	"168.63.129.16", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.31.196.1",
	"192.52.193.1", "192.88.99.1", "192.168.1.1", "192.175.48.1", "198.18.0.1", "198.19.255.255", "198.51.100.1",
	"203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
	"::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1",
	"64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::a00:1", "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
	"2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::1", "2002:a00:1::1", "2620:4f:8000::1",
	"3fff::1", "4000::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fe80::1", "fec0::1", "ff02::1",
}

// publicAddresses are next to refused ones.
var publicAddresses = []string{
	"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1",
	"169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255",
	"198.20.0.0", "223.255.255.255", "2600:1f18::1", "2606:4700:4700::1111", "2a00:1450:4001::1",
}

func literal(addr string) string {
	if strings.Contains(addr, ":") {
		return "[" + addr + "]"
	}
	return addr
}

func dial(g *Guard, addr string, port string) error {
	network := "tcp4"
	if strings.Contains(addr, ":") {
		network = "tcp6"
	}
	return g.Control(network, literal(addr)+":"+port, nil)
}

func check(g *Guard, text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return err
	}
	return g.CheckURL(u)
}

func isRefused(err error) bool {
	var refused *Refused
	return errors.As(err, &refused)
}

func TestSpecialAddressesAreRefusedWhenSavedAndWhenDialled(t *testing.T) {
	g := &Guard{}
	for _, addr := range refusedAddresses {
		if err := dial(g, addr, "443"); !isRefused(err) {
			t.Errorf("Control(%s) = %v, want it refused", addr, err)
		}
		if err := check(g, "https://"+literal(addr)+"/hook"); !isRefused(err) {
			t.Errorf("CheckURL(%s) = %v, want it refused", addr, err)
		}
	}
	for _, addr := range publicAddresses {
		if err := errors.Join(dial(g, addr, "443"), check(g, "https://"+literal(addr))); err != nil {
			t.Errorf("%s is refused: %v", addr, err)
		}
		if err := dial(g, addr, "8443"); !isRefused(err) {
			t.Errorf("Control(%s, port 8443) = %v, want it refused", addr, err)
		}
		if err := g.control("tcp4", literal(addr)+":443", false); !isRefused(err) {
			t.Errorf("dialling %s for http = %v, want it refused", addr, err)
		}
	}
}

// TestOwnListAndLibraryAgree notices when either list loses an entry.
func TestOwnListAndLibraryAgree(t *testing.T) {
	for _, addr := range refusedAddresses {
		a := netip.MustParseAddr(addr)
		if a.Is4In6() || metadata[a] {
			continue
		}
		if special(a) == "" || public.SafeAddr(a) == nil {
			t.Errorf("%s: special says %q, ssrf says %v", addr, special(a), public.SafeAddr(a))
		}
	}
}

func TestAllowedNetworksOpenEveryPortAndPlainHTTP(t *testing.T) {
	allow, err := ParseAllow("127.0.0.0/8, ::1/128,10.1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	g := &Guard{Allow: allow}
	for _, text := range []string{
		"http://127.0.0.1:9000/x", "https://127.9.9.9", "http://[::1]:1", "http://10.1.2.3", "http://localhost:9000",
		"http://sub.localhost.:9000", "http://[::ffff:127.0.0.1]:9000", "http://example.com:8080", "https://example.com",
	} { // a name may lie in 10.1.2.3
		if err := check(g, text); err != nil {
			t.Errorf("CheckURL(%s) = %v, want it allowed", text, err)
		}
	}
	for _, text := range []string{"http://10.1.2.4", "http://8.8.8.8", "https://8.8.8.8:8443", "http://[::ffff:10.0.0.1]", "http://169.254.169.254"} {
		if err := check(g, text); !isRefused(err) {
			t.Errorf("CheckURL(%s) = %v, want it refused", text, err)
		}
	}
	for addr, want := range map[string]bool{"127.0.0.1": true, "::1": true, "10.1.2.3": true, "10.1.2.4": false, "8.8.8.8": false} {
		if err := g.control("tcp4", literal(addr)+":9000", false); (err == nil) != want {
			t.Errorf("dialling %s for http = %v, want allowed: %v", addr, err, want)
		}
	}
}

func TestNothingOpensMetadataRuntimeOrOwnAPI(t *testing.T) {
	g := &Guard{
		Allow:      []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")},
		OwnHosts:   []string{"API.postino.example", "hooks.example:8080", "127.0.0.1:8080", "192.168.7.7", "0.0.0.0:8081"},
		RuntimeAPI: "127.0.0.1:9001",
	}
	for _, text := range []string{
		"http://169.254.169.254/latest", "http://[fd00:ec2::254]", "http://169.254.170.2", "https://168.63.129.16",
		"http://127.0.0.1:9001/2018-06-01", "http://[::ffff:127.0.0.1]:9001", "http://[::ffff:169.254.169.254]",
		"https://api.postino.example", "https://Api.Postino.Example.:8443", "http://hooks.example:8080",
		"http://127.0.0.1:8080/v1", "http://192.168.7.7:1234", "http://127.0.0.1:8081", "http://[::1]:8081", "http://0.0.0.0:8081",
	} {
		if err := check(g, text); !isRefused(err) {
			t.Errorf("CheckURL(%s) = %v, want it refused", text, err)
		}
	}
	for _, addr := range []string{"169.254.169.254:80", "127.0.0.1:9001", "127.0.0.1:8080", "192.168.7.7:443", "127.0.0.3:8081"} {
		if err := g.Control("tcp4", addr, nil); !isRefused(err) {
			t.Errorf("Control(%s) = %v, want it refused", addr, err)
		}
	}
	for _, text := range []string{"http://127.0.0.1:9002", "https://hooks.example", "https://xapi.postino.example", "http://127.0.0.1:8082", "http://127.0.0.2:8080"} {
		if err := check(g, text); err != nil {
			t.Errorf("CheckURL(%s) = %v, want it allowed", text, err)
		}
	}
}

// spelled are the forms in which an address may be written or dialled.
func spelled(addr string) []string {
	b := netip.MustParseAddr(addr).As4()
	hex := fmt.Sprintf("%02x%02x:%02x%02x", b[0], b[1], b[2], b[3])
	byPrefix := func(format string) string { return fmt.Sprintf(format, b[0], b[1], b[2], b[3]) }
	return []string{
		addr, "::" + hex, "::ffff:" + hex, "::ffff:0:" + hex, "64:ff9b::" + hex, "64:ff9b:1::" + hex,
		byPrefix("64:ff9b:1:%02x%02x:%02x:%02x00::"), byPrefix("64:ff9b:1:ab%02x:%02x:%02x%02x::"), byPrefix("64:ff9b:1:abcd:%02x:%02x%02x:%02x00:0"),
		"2002:" + hex + "::1", "2001:0:" + hex + ":8000:63bf:3fff:fdd2",
		fmt.Sprintf("2001:0:4136:e378:8000:63bf:%02x%02x:%02x%02x", ^b[0], ^b[1], ^b[2], ^b[3]),
		"fd12:3456::5efe:" + hex, "fe80::200:5efe:" + hex,
	}
}

func TestWhatMustNeverBeReachedIsRefusedInEverySpelling(t *testing.T) {
	g := &Guard{
		Allow:    []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")},
		OwnHosts: []string{"127.0.0.1:8080", "192.168.7.7"}, RuntimeAPI: "127.0.0.1:9001",
	}
	var refused []string
	for _, addr := range []string{"169.254.169.254", "169.254.170.2", "168.63.129.16", "192.168.7.7"} {
		for _, s := range spelled(addr) {
			refused = append(refused, literal(s)+":80")
		}
	}
	for _, addr := range []string{"127.0.0.1", "0.0.0.0"} {
		for _, s := range spelled(addr) {
			refused = append(refused, literal(s)+":8080", literal(s)+":9001")
		}
	}
	refused = append(refused, "[::]:8080", "[::]:9001", "[fd00:1:2:3::a9fe:a9fe]:80", "[fe80::a9fe:a9fe%25lo]:80")
	for _, to := range refused {
		if err := check(g, "http://"+to); !isRefused(err) {
			t.Errorf("CheckURL(http://%s) = %v, want it refused", to, err)
		}
		if err := g.control("tcp6", strings.Replace(to, "%25", "%", 1), false); !peer.Final(err) {
			t.Errorf("Control(%s) = %v, want it refused for good", to, err)
		}
	}
	if err := check(g, "http://localhost:8080"); !isRefused(err) {
		t.Errorf("CheckURL(http://localhost:8080) = %v, want it refused", err)
	}
	for _, to := range []string{"0.0.0.0:8082", "[::]:8082", "[64:ff9b::7f00:1]:8082", "[64:ff9b::a00:1]:80", "[fd00::1]:8080"} {
		if err := check(g, "http://"+to); err != nil {
			t.Errorf("CheckURL(http://%s) = %v, want it allowed", to, err)
		}
	}
}

func TestAServerThatListensEverywhereIsItsOwnAtEachAddress(t *testing.T) {
	real := interfaces
	defer func() { interfaces = real }()
	interfaces = func() ([]net.Addr, error) {
		return []net.Addr{&net.IPNet{IP: net.IPv4(10, 9, 8, 7), Mask: net.CIDRMask(24, 32)}}, nil
	}
	g := &Guard{Allow: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}, OwnHosts: []string{"[::]:8080"}}
	for to, want := range map[string]bool{"10.9.8.7:8080": false, "10.9.8.6:8080": true, "10.9.8.7:8081": true, "127.0.0.1:8080": false} {
		if err := check(g, "http://"+to); (err == nil) != want {
			t.Errorf("CheckURL(http://%s) = %v, want it allowed: %v", to, err, want)
		}
	}
}

func TestARefusalIsForGoodUnlessAnotherAnswerOfDNSCouldChangeIt(t *testing.T) {
	dns := newNameserver(t)
	dns.script("inside.example", addrs("10.0.0.1"))
	dns.script("metadata.example", addrs("169.254.169.254"))
	g := &Guard{ResolverAddress: dns.address(), Allow: loopback, OwnHosts: []string{"127.0.0.1:1"}}
	for text, want := range map[string]bool{
		"https://10.0.0.1": true, "http://localhost:1": true, "https://8.8.8.8:8443": true, "http://8.8.8.8": true,
		"https://metadata.example": true, "https://inside.example": false,
	} {
		if err := post(t, g, text); !isRefused(err) || peer.Final(err) != want {
			t.Errorf("post to %s = %v, want it refused, for good: %v", text, err, want)
		}
	}
}

func TestTheRuntimeAPIIsRefusedWhereverItIs(t *testing.T) {
	for _, runtime := range []string{"8.8.4.4:9001", "[2600::9]:9001", "runtime.example:9001"} {
		g := &Guard{RuntimeAPI: runtime, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
		host := strings.TrimSuffix(runtime, ":9001")
		if err := check(g, "http://"+runtime); !isRefused(err) {
			t.Errorf("CheckURL(http://%s) = %v, want it refused", runtime, err)
		}
		if err := check(g, "https://"+host); host != "runtime.example" && !isRefused(err) {
			t.Errorf("CheckURL(https://%s) = %v, want all ports of that host refused", host, err)
		}
	}
}

func TestOnlyTCPIsDialled(t *testing.T) {
	for _, tt := range []struct{ network, address string }{
		{"udp4", "8.8.8.8:443"}, {"unix", "/run/x.sock"}, {"tcp4", "example.com:443"}, {"tcp4", "8.8.8.8"}, {"tcp", "8.8.8.8:443"},
	} {
		if err := (&Guard{}).Control(tt.network, tt.address, nil); !isRefused(err) {
			t.Errorf("Control(%s, %s) = %v, want it refused", tt.network, tt.address, err)
		}
	}
}
