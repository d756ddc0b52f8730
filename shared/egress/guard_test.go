package egress

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"testing"
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
	} {
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
