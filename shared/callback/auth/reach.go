package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/url"
	"strings"
)

// Reach names whom it trusts beside the subscription's url: where an access
// token comes from, and authorities of its own. Two that trust the same have
// the same; "" trusts nobody more.
func (a *Auth) Reach() string {
	var trusts []string
	if from := a.TokenURL(); from != "" {
		trusts = append(trusts, "token "+Origin(from))
	}
	if own := a.TLS(); own != nil && own.roots != nil {
		h := sha256.New()
		for _, c := range own.roots {
			sum := sha256.Sum256(c.Raw)
			h.Write(sum[:])
		}
		trusts = append(trusts, "ca "+hex.EncodeToString(h.Sum(nil)))
	}
	return strings.Join(trusts, " ")
}

// Origin returns scheme, host and port of a url that was judged, one way of
// writing for all that mean the same.
func Origin(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text
	}
	scheme, port := strings.ToLower(u.Scheme), u.Port()
	switch {
	case port != "":
	case scheme == "http":
		port = "80"
	default:
		port = "443"
	}
	return scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}
