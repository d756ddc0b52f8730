package egress

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// CheckURL judges a destination before anything is known of DNS, so that a
// subscription's owner hears at once of what could never work. Its errors are
// all [*Refused].
//
// An address is judged as it will be when dialled. A name is that of a public
// host, unless Allow names networks beyond loopback: then it may have any scheme
// and port, because only its address, at dial time, tells whether it lies there.
// "localhost" stands for the two loopback addresses. Spellings that some
// resolvers take for addresses, such as 2130706433, 0x7f.1 or 0177.0.0.1, are
// refused whatever they would mean.
func (g *Guard) CheckURL(u *url.URL) error {
	port, ok := defaultPorts[u.Scheme]
	switch {
	case !ok:
		return &Refused{u.Host, "want an https URL", true}
	case u.Opaque != "" || u.Hostname() == "":
		return &Refused{u.Host, "want a URL with a host", true}
	case u.User != nil:
		return &Refused{u.Host, "want a URL without user name and password", true}
	}
	if text := u.Port(); text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return &Refused{u.Host, "want a port from 1 to 65535", true}
		}
		port = uint16(n)
	}
	reason, named := g.checkHost(u.Hostname(), port, u.Scheme == "https")
	if reason == "" && named && !g.allowsNames() {
		reason = g.judgePort(port, u.Scheme == "https")
	}
	if reason != "" {
		return &Refused{u.Hostname(), reason, true}
	}
	return nil
}

var defaultPorts = map[string]uint16{"https": httpsPort, "http": 80}

// checkHost returns why a host, as written in a URL, is refused, or "". If it is
// named, only DNS tells where it is.
func (g *Guard) checkHost(host string, port uint16, secure bool) (reason string, named bool) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return g.checkLiteral(addr, port, secure), false
	}
	name := plainName(host)
	switch {
	case strings.Contains(name, ":"):
		return "this is not an IPv6 address", false
	case endsInNumber(name):
		return "this is neither a host name nor an IPv4 address such as 192.0.2.1", false
	case !isName(name):
		return "want a host name of letters, digits, hyphens and full stops; write others in their ASCII form (xn--…)", false
	case g.ownName(name, port):
		return "Postino's own API cannot be a destination; to make an event of an event, use emit", false
	case name == "localhost" || strings.HasSuffix(name, ".localhost"):
		return g.checkLocalhost(port, secure), false
	}
	return "", true
}

// allowsNames reports whether a name may lead to an allowed network. Those of
// loopback have names of their own.
func (g *Guard) allowsNames() bool {
	return slices.ContainsFunc(g.Allow, func(network netip.Prefix) bool { return !network.Addr().IsLoopback() })
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

// loopbacks are what "localhost" stands for.
var loopbacks = []netip.Addr{netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1})}

// checkLocalhost refuses the name unless one of its two addresses is allowed
// and neither is one that must never be reached.
func (g *Guard) checkLocalhost(port uint16, secure bool) (reason string) {
	for _, addr := range loopbacks {
		if reason := g.never(netip.AddrPortFrom(addr, port)); reason != "" {
			return reason
		}
	}
	for _, addr := range loopbacks {
		if reason = g.judge(netip.AddrPortFrom(addr, port), secure); reason == "" {
			break
		}
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
		return &Refused{address, "not a host and a port", true}
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return &Refused{address, "want a port from 1 to 65535", true}
	}
	if reason, _ := g.checkHost(host, uint16(port), secure); reason != "" {
		return &Refused{host, reason, true}
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

// ParsePorts reads a list of ports for [Guard].Ports, separated by commas:
// "443,8443". The empty list stands for 443.
func ParsePorts(list string) (ports []uint16, err error) {
	if strings.TrimSpace(list) == "" {
		return nil, nil
	}
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 16)
		if err != nil || n == 0 {
			return nil, fmt.Errorf("%q: want ports from 1 to 65535, separated by commas", text)
		}
		ports = append(ports, uint16(n))
	}
	return ports, nil
}
