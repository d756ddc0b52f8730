package egress

import (
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDisguisedAddressesAreRefused(t *testing.T) {
	for _, g := range []*Guard{{}, {Allow: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}}} {
		for _, host := range []string{
			"2130706433", "0x7f000001", "0x7f.1", "0X7F.0.0.1", "017700000001", "0177.0.0.1", "127.1", "127.0.1", "0", "0x", "00.0.0.0",
			"127.0.0.1.", "8.8.8.8.", "127.000.000.001", "256.1.1.1", "1.2.3.4.5", "example.1", "127.0.0.0x1",
			"[fe80::1%25eth0]", "[::ffff:7f00:1%25lo]", "127。0。0。1", "１２７.0.0.1", "①②⑦.0.0.1", "bücher.example",
			"a..b", ".example", "-", "*.example.com", "exa_mple..com", "a,b", strings.Repeat("a", 64) + ".example", strings.Repeat("a.", 127) + "bc",
		} {
			if host == "-" {
				continue // an odd name, but a name
			}
			if err := check(g, "https://"+host+"/hook"); err == nil {
				t.Errorf("CheckURL(%s) with %v allowed = nil, want it refused", host, g.Allow)
			}
		}
	}
}

func TestDestinationsArePlainURLs(t *testing.T) {
	for _, tt := range []struct{ url, want string }{
		{"https://example.com/hook?x=1", ""},
		{"https://example.com:443", ""},
		{"https://EXAMPLE.com.", ""},
		{"https://xn--bcher-kva.example", ""},
		{"https://intranet", ""}, // its address decides, when dialled
		{"https://under_score.example", ""},
		{"http://example.com", "only https on port 443 is allowed here; to allow other ports, add them to -egress-ports; to allow http, add the network to -egress-allow"},
		{"https://example.com:8443", "only https on port 443"},
		{"https://example.com:80", "only https on port 443"},
		{"http://example.com:443", "only https on port 443"},
		{"https://example.com:0", "want a port from 1 to 65535"},
		{"https://example.com:65536", "want a port from 1 to 65535"},
		{"https://user@example.com", "without user name and password"},
		{"https://user:pass@example.com", "without user name and password"},
		{"ftp://example.com", "want an https URL"},
		{"//example.com", "want an https URL"},
		{"example.com", "want an https URL"},
		{"", "want an https URL"},
		{"https:example.com", "want a URL with a host"},
		{"https:///hook", "want a URL with a host"},
		{"https://:443", "want a URL with a host"},
		{"https://localhost", "this is a loopback address; to allow it, add it to -egress-allow"},
		{"https://db.LOCALHOST.", "this is a loopback address"},
		{"https://10.1.2.3", "10.1.2.3: this is a private address; to allow it, add it to -egress-allow"},
		{"https://[::ffff:8.8.8.8]", "IPv4-mapped address; write it as an IPv4 address"},
		{"https://[::1]", "::1: this is a loopback address"},
		{"https://169.254.169.254", "a cloud's metadata service cannot be a destination"},
	} {
		err := check(&Guard{}, tt.url)
		if tt.want == "" && err != nil || tt.want != "" && (!isRefused(err) || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("CheckURL(%s) = %v, want %q", tt.url, err, tt.want)
		}
	}
}

func TestRefusalsNameTheSetting(t *testing.T) {
	g := &Guard{Setting: "the parameter EgressAllow"}
	for _, text := range []string{"https://10.1.2.3", "http://example.com", "https://localhost"} {
		if err := check(g, text); err == nil || !strings.HasSuffix(err.Error(), "to the parameter EgressAllow") {
			t.Errorf("CheckURL(%s) = %v, want the setting named", text, err)
		}
	}
}

func TestPasswordsAreNotRepeated(t *testing.T) {
	if err := check(&Guard{}, "https://user:hunter2@example.com"); strings.Contains(err.Error(), "hunter2") {
		t.Errorf("CheckURL repeats the password: %v", err)
	}
}

func TestAllowListsAreReadStrictly(t *testing.T) {
	got, err := ParseAllow(" 127.0.0.0/8,::1/128, 10.1.2.3 ,192.168.1.77/16,")
	want := []string{"127.0.0.0/8", "::1/128", "10.1.2.3/32", "192.168.0.0/16"}
	if diff := cmp.Diff(want, prefixStrings(got)); diff != "" || err != nil {
		t.Errorf("ParseAllow: %v (-want +got):\n%s", err, diff)
	}
	for _, none := range []string{"", " ", ","} {
		if got, err := ParseAllow(none); len(got) != 0 || err != nil {
			t.Errorf("ParseAllow(%q) = %v, %v, want nothing", none, got, err)
		}
	}
	for _, bad := range []string{"localhost", "127.0.0.0/33", "127.0.0.1-9", "127.0.0.0/8;::1", "::ffff:10.0.0.0/104", "fe80::1%eth0", "*", "10/8"} {
		if got, err := ParseAllow(bad); err == nil {
			t.Errorf("ParseAllow(%q) = %v, want an error", bad, got)
		}
	}
}

func TestPortListsAreReadStrictly(t *testing.T) {
	got, err := ParsePorts(" 443,8443 , 65535")
	if diff := cmp.Diff([]uint16{443, 8443, 65535}, got); diff != "" || err != nil {
		t.Errorf("ParsePorts: %v (-want +got):\n%s", err, diff)
	}
	if got, err := ParsePorts(" "); got != nil || err != nil {
		t.Errorf("ParsePorts of nothing = %v, %v, want nothing", got, err)
	}
	for _, bad := range []string{"0", "65536", "443,", "443;8443", "443-450", "https", "-1", "+1", "0x1"} {
		if got, err := ParsePorts(bad); err == nil {
			t.Errorf("ParsePorts(%q) = %v, want an error", bad, got)
		}
	}
}

// One rule holds with and without loopback allowed, as it is on AWS and locally.
func TestPublicPortsAreThoseThatAreNamed(t *testing.T) {
	for _, allow := range [][]netip.Prefix{nil, loopback} {
		g := &Guard{Allow: allow, Ports: []uint16{443, 8443}}
		for text, want := range map[string]bool{
			"https://example.com": true, "https://example.com:8443": true, "https://example.com:9443": false, "http://example.com:8443": false,
			"http://example.com": false, "https://8.8.8.8:8443": true, "https://8.8.8.8:9443": false, "http://8.8.8.8:8443": false,
		} {
			if err := check(g, text); (err == nil) != want {
				t.Errorf("CheckURL(%s) with %v allowed = %v, want it saved: %v", text, allow, err, want)
			}
		}
		for port, want := range map[string]bool{"443": true, "8443": true, "9443": false} {
			if err := dial(g, "8.8.8.8", port); (err == nil) != want {
				t.Errorf("dialling port %s with %v allowed = %v, want it dialled: %v", port, allow, err, want)
			}
		}
	}
}

func prefixStrings(networks []netip.Prefix) []string {
	var texts []string
	for _, n := range networks {
		texts = append(texts, n.String())
	}
	return texts
}

func FuzzCheckURL(f *testing.F) {
	for _, seed := range []string{"https://example.com", "http://0x7f.1", "https://[::ffff:127.0.0.1]:443", "https://a:b@c:99999", "https://localhost."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := url.Parse(text)
		if err != nil || (&Guard{}).CheckURL(u) != nil {
			return
		}
		if u.Scheme != "https" || u.Port() != "" && u.Port() != "443" && strings.TrimLeft(u.Port(), "0") != "443" {
			t.Fatalf("CheckURL allows %q", text)
		}
		if addr, err := netip.ParseAddr(u.Hostname()); err == nil && (special(addr) != "" || metadata[addr]) {
			t.Fatalf("CheckURL allows the address %q", text)
		}
		if ip := net.ParseIP(strings.TrimRight(u.Hostname(), ".")); ip != nil && !ip.IsGlobalUnicast() {
			t.Fatalf("CheckURL allows the address %q", text)
		}
	})
}
