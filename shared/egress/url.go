package egress

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// CheckURL judges a destination before anything is known of DNS, so that a
// subscription's owner hears at once of what could never work. Its errors are
// all [*Refused].
//
// An address is judged as it will be when dialled. A name may have any scheme
// and port if Allow names any network at all, because only its address, at dial
// time, tells whether it lies there; "localhost" stands for the two loopback
// addresses. Spellings that some resolvers take for addresses, such as
// 2130706433, 0x7f.1 or 0177.0.0.1, are refused whatever they would mean.
func (g *Guard) CheckURL(u *url.URL) error {
	port, ok := defaultPorts[u.Scheme]
	switch {
	case !ok:
		return &Refused{u.Host, "want an https URL"}
	case u.Opaque != "" || u.Hostname() == "":
		return &Refused{u.Host, "want a URL with a host"}
	case u.User != nil:
		return &Refused{u.Host, "want a URL without user name and password"}
	}
	if text := u.Port(); text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return &Refused{u.Host, "want a port from 1 to 65535"}
		}
		port = uint16(n)
	}
	if reason := g.checkHost(u.Hostname(), port, u.Scheme == "https"); reason != "" {
		return &Refused{u.Hostname(), reason}
	}
	return nil
}

var defaultPorts = map[string]uint16{"https": httpsPort, "http": 80}

// checkHost returns why a host, as written in a URL, is refused, or "".
func (g *Guard) checkHost(host string, port uint16, secure bool) string {
	if addr, err := netip.ParseAddr(host); err == nil {
		return g.checkLiteral(addr, port, secure)
	}
	name := plainName(host)
	switch {
	case strings.Contains(name, ":"):
		return "this is no IPv6 address"
	case endsInNumber(name):
		return "this is no name, and no IPv4 address in its one plain form"
	case !isName(name):
		return "want a host name of letters, digits, hyphens and full stops; write others in their ASCII form (xn--…)"
	case g.ownName(name, port):
		return "our own API is no destination"
	case name == "localhost" || strings.HasSuffix(name, ".localhost"):
		return g.checkLocalhost(port, secure)
	case len(g.Allow) == 0 && (!secure || port != httpsPort):
		return g.needHTTPS()
	}
	return ""
}

// checkLiteral is judge for an address as written. A mapped address is another
// spelling of an IPv4 one, and needed by no honest owner: it is refused unless
// the IPv4 network is allowed.
func (g *Guard) checkLiteral(addr netip.Addr, port uint16, secure bool) string {
	if addr.Zone() != "" {
		return "want an address without a zone"
	}
	if addr.Is4In6() && !g.allows(addr.Unmap()) {
		return "this is " + special(addr) + "; write it as an IPv4 address"
	}
	return g.judge(netip.AddrPortFrom(addr, port), secure)
}

// checkLocalhost refuses the name unless one of its two addresses is allowed.
func (g *Guard) checkLocalhost(port uint16, secure bool) string {
	reason := g.judge(netip.AddrPortFrom(netip.IPv6Loopback(), port), secure)
	if reason != "" {
		reason = g.judge(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port), secure)
	}
	return reason
}

// endsInNumber tells, as browsers do, whether a host is meant as an IPv4
// address: its last label is a decimal, octal or hexadecimal number.
func endsInNumber(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	if digits, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

// isName accepts lower-case labels of 1 to 63 characters, at most 253 in all.
func isName(name string) bool {
	if len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

// checkDial is checkHost for what a transport is about to dial, "host:port".
func (g *Guard) checkDial(address string, secure bool) error {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return &Refused{address, "not a host and a port"}
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return &Refused{address, "want a port from 1 to 65535"}
	}
	if reason := g.checkHost(host, uint16(port), secure); reason != "" {
		return &Refused{host, reason}
	}
	return nil
}

// ParseAllow reads a list of networks for [Guard].Allow, separated by commas:
// "127.0.0.0/8,::1/128". A bare address stands for itself. The empty list
// allows nothing.
func ParseAllow(list string) ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for text := range strings.SplitSeq(list, ",") {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		network, err := netip.ParsePrefix(text)
		if addr, bare := netip.ParseAddr(text); bare == nil && addr.Zone() == "" {
			network, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil || network.Addr().Is4In6() {
			return nil, fmt.Errorf("%q: want a network like 127.0.0.0/8 or fd00::/8", text)
		}
		networks = append(networks, network.Masked())
	}
	return networks, nil
}
