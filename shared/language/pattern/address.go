package pattern

import (
	"strconv"
	"strings"
)

// Addresses are compared as event-ruler does: as strings of hexadecimal digits, 8 for IPv4 and 32 for IPv6
// (an IPv4-mapped address is IPv4). Comparing digit by digit ends at the first digit that decides, so a short
// range also meets long addresses that begin alike: see "Inherited oddities" in the package comment.

// maxAddress is the longest text of an address that is looked at: eight groups of hex digits, with room for
// leading zeros, which Java allows.
const maxAddress = 512

const hexDigits = "0123456789ABCDEF"

// addressDigits returns the digits of the IP address in s, appended to buf, or nil if it is none.
func addressDigits(buf []byte, s string) []byte {
	if len(s) < 2 || len(s) > maxAddress {
		return nil
	}
	var ip [16]byte
	if strings.IndexByte(s, ':') < 0 {
		if !parseIPv4(s, ip[:4]) {
			return nil
		}
		return appendHex(buf, ip[:4])
	}
	if !parseIPv6(s, &ip) {
		return nil
	}
	if [12]byte(ip[:12]) == [12]byte{10: 0xff, 11: 0xff} {
		return appendHex(buf, ip[12:])
	}
	return appendHex(buf, ip[:])
}

func appendHex(buf, ip []byte) []byte {
	for _, b := range ip {
		buf = append(buf, hexDigits[b>>4], hexDigits[b&15])
	}
	return buf
}

// parseIPv4 reads four decimal parts; leading zeros do not make them octal. Java reads at most 15 characters.
func parseIPv4(s string, ip []byte) bool {
	if len(s) > 15 || s[0] < '0' || s[0] > '9' {
		return false
	}
	part, value, digits := 0, 0, 0
	for i := 0; i <= len(s); i++ {
		switch {
		case i < len(s) && s[i] >= '0' && s[i] <= '9':
			value = value*10 + int(s[i]-'0')
			if digits++; value > 255 {
				return false
			}
		case digits == 0 || part == 4 || i < len(s) && s[i] != '.':
			return false
		default:
			ip[part] = byte(value)
			part, value, digits = part+1, 0, 0
		}
	}
	return part == 4
}

// parseIPv6 reads groups of hex digits with at most one "::"; groups may have leading zeros.
func parseIPv6(s string, ip *[16]byte) bool {
	head, tail, gap := strings.Cut(s, "::")
	front, ok := parseGroups(head, ip[:], gap)
	if !ok {
		return false
	}
	if !gap {
		return front == 16
	}
	var rest [16]byte
	back, ok := parseGroups(tail, rest[:], true)
	if !ok || front+back >= 16 {
		return false
	}
	copy(ip[16-back:], rest[:back])
	return true
}

// parseGroups reads groups divided by single colons and returns how many bytes they fill.
func parseGroups(s string, ip []byte, empty bool) (int, bool) {
	if s == "" {
		return 0, empty
	}
	n := 0
	for group := range strings.SplitSeq(s, ":") {
		v, err := strconv.ParseUint(strings.TrimLeft(group, "0"), 16, 16)
		if group == "" || n == 16 || err != nil && strings.Trim(group, "0") != "" {
			return 0, false
		}
		ip[n], ip[n+1] = byte(v>>8), byte(v)
		n += 2
	}
	return n, true
}

// digitRange is a range of addresses of one length, ends included.
type digitRange struct {
	lo, hi string
}

// matches says whether digits fall into the range, looking no further than the digit that decides.
func (r digitRange) matches(digits string) bool {
	above, below := false, false // already greater than lo, less than hi
	for i := range min(len(digits), len(r.lo)) {
		d := digits[i]
		if strings.IndexByte(hexDigits, d) < 0 || !above && d < r.lo[i] || !below && d > r.hi[i] {
			return false
		}
		above = above || d > r.lo[i]
		below = below || d < r.hi[i]
		if above && below || i == len(r.lo)-1 {
			return true
		}
	}
	return false
}

// common returns the digits with which both ends begin.
func (r digitRange) common() string {
	i := 0
	for i < len(r.lo) && r.lo[i] == r.hi[i] {
		i++
	}
	return r.lo[:i]
}

// parseCIDR reads an address, a slash and how many leading bits count. event-ruler wants at least one free bit.
func parseCIDR(s string) (digitRange, string) {
	address, mask, ok := strings.Cut(s, "/")
	if !ok {
		return digitRange{}, "want an address, a slash and a number of bits, such as 10.0.0.0/8"
	}
	digits := addressDigits(nil, address)
	if digits == nil {
		return digitRange{}, "want an IPv4 or IPv6 address before the slash"
	}
	most := len(digits)*4 - 1
	n, err := strconv.ParseUint(mask, 10, 16)
	if err != nil || int(n) > most {
		return digitRange{}, "want 0 to " + strconv.Itoa(most) + " bits after the slash; a single address is written as a plain string"
	}
	lo, hi := []byte(string(digits)), []byte(string(digits))
	for i := range digits {
		free := min(4, max(0, (i+1)*4-int(n))) // low bits of this digit that may be anything
		d := strings.IndexByte(hexDigits, digits[i])
		lo[i] = hexDigits[d>>free<<free]
		hi[i] = hexDigits[d|(1<<free-1)]
	}
	return digitRange{string(lo), string(hi)}, ""
}
