package manage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/postino/postino/console"
	"github.com/postino/postino/shared/api/apikey"
	"github.com/postino/postino/shared/api/httpapi"
	durations "github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// Origins keeps which web pages may show a tenant's portal.
type Origins interface {
	// PutOrigins stores them in place of those before.
	PutOrigins(ctx context.Context, o webhook.Origins) error
	// Origins returns them, or [webhook.ErrNotFound].
	Origins(ctx context.Context, tenant string) (webhook.Origins, error)
}

// portals serves the portal of one tenant within pages of others, and links to it.
type portals struct {
	*Handler
	Store Origins
	Keys  Keys
	known recentOrigins
}

func (h *portals) routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: get, Pattern: tenantPath + "/origins", Roles: manage, Handle: h.get},
		{Method: put, Pattern: tenantPath + "/origins", Roles: manage, Handle: h.put},
		{Method: post, Pattern: tenantPath + "/portal-links", Roles: manage, Handle: h.link},
		{Method: get, Pattern: "/portal/{tenant}", Roles: httpapi.Anyone, Handle: h.page},
		{Method: get, Pattern: "/portal/embed.js", Roles: httpapi.Anyone, Handle: h.embed},
	}
}

// Limits of what embeds a portal.
const (
	maxOrigins  = 20
	maxOrigin   = 256       // bytes
	linkLife    = time.Hour // of a portal link, unless it says another one
	maxLinkLife = 24 * time.Hour
)

type originsView struct {
	Origins   []string     `json:"origins"`
	UpdatedAt httpapi.Time `json:"updated_at"`
}

func (h *portals) get(r *httpapi.Request) (httpapi.Response, error) {
	o, err := h.Store.Origins(r.Context(), r.Tenant)
	if errors.Is(err, webhook.ErrNotFound) {
		o.List, err = []string{}, nil
	}
	return httpapi.OK(originsView{o.List, httpapi.Time(o.UpdatedAt)}), err
}

func (h *portals) put(r *httpapi.Request) (httpapi.Response, error) {
	if err := r.RefuseReserved(); err != nil {
		return httpapi.Response{}, err
	}
	body, err := r.JSON()
	if err != nil {
		return httpapi.Response{}, err
	}
	list, err := readOrigins(body)
	if err != nil {
		return httpapi.Response{}, err
	}
	if err := h.ensureTenant(r); err != nil {
		return httpapi.Response{}, err
	}
	o := webhook.Origins{Tenant: r.Tenant, List: list, UpdatedAt: h.now()}
	if err := h.Store.PutOrigins(r.Context(), o); err != nil {
		return httpapi.Response{}, fmt.Errorf("store origins: %w", err)
	}
	h.known.put(r.Tenant, list, h.now())
	return httpapi.OK(originsView{o.List, httpapi.Time(o.UpdatedAt)}), nil
}

var originFields = []string{"origins", "updated_at"}

// readOrigins reads {"origins"}. Whoever writes back what was read may send
// updated_at too.
func readOrigins(body strictjson.Value) ([]string, error) {
	var faults httpapi.Faults
	if body.Kind() != strictjson.Object {
		faults.Add("body", "want an object")
		return nil, faults.Err()
	}
	list, given := []string{}, false
	for field, v := range body.Members() {
		switch {
		case !slices.Contains(originFields, field):
			faults.Unknown("", field, originFields)
		case field == "origins" && v.Kind() == strictjson.Array:
			given = true
			for i, item := range v.Elements() {
				text, _ := item.Text()
				origin, ok := originOf(text)
				if !ok {
					faults.Add(fmt.Sprintf("origins[%d]", i), `want the origin of a web page, like "https://app.example": https, or http for this machine, without a path`)
				}
				if !slices.Contains(list, origin) {
					list = append(list, origin)
				}
			}
		case field == "origins":
			given = true
			faults.Add(field, "want a list")
		}
	}
	if !given {
		faults.Add("origins", "required: a list, which may be empty")
	}
	if len(list) > maxOrigins {
		faults.Add("origins", "want at most %d", maxOrigins)
	}
	return list, faults.Err()
}

// originOf returns an origin as browsers compare it. It goes into a header, so
// nothing else passes.
func originOf(text string) (string, bool) {
	u, err := url.Parse(strings.TrimSuffix(strings.ToLower(text), "/"))
	if err != nil || len(text) > maxOrigin || u.Hostname() == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery {
		return "", false
	}
	ip := net.ParseIP(u.Hostname())
	local := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && !(u.Scheme == "http" && local) {
		return "", false
	}
	plain := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.ContainsRune(".-:[]", c)
	}
	if strings.ContainsFunc(u.Host, func(c rune) bool { return !plain(c) }) {
		return "", false
	}
	return u.Scheme + "://" + u.Host, true
}

// linkView is a link to the portal with a key, which is shown this once.
type linkView struct {
	URL       string       `json:"url"` // relative to the address of the API
	Key       string       `json:"key_id"`
	ExpiresAt httpapi.Time `json:"expires_at"`
}

// link makes a portal key that ends soon, and the address of the portal with the
// key behind the #, which browsers send to no server.
func (h *portals) link(r *httpapi.Request) (httpapi.Response, error) {
	if err := r.RefuseReserved(); err != nil {
		return httpapi.Response{}, err
	}
	body, err := r.OptionalJSON()
	if err != nil {
		return httpapi.Response{}, err
	}
	life, err := readLink(body)
	if err != nil {
		return httpapi.Response{}, err
	}
	if err := h.ensureTenant(r); err != nil {
		return httpapi.Response{}, err
	}
	key, stored := apikey.New(r.Tenant, webhook.KeyPortal)
	stored.Name, stored.CreatedAt, stored.ExpiresAt = "portal link", h.now(), h.now().Add(life)
	if err := h.Keys.PutKey(r.Context(), stored); err != nil {
		return httpapi.Response{}, fmt.Errorf("store the key of a portal link: %w", err)
	}
	r.Note(slog.String("key", stored.ID))
	return httpapi.Response{Status: http.StatusCreated, Body: linkView{
		URL: "/portal/" + r.Tenant + "#key=" + key.Reveal(), Key: stored.ID, ExpiresAt: httpapi.Time(stored.ExpiresAt),
	}}, nil
}

// readLink reads {["expires_in"]}.
func readLink(body strictjson.Value) (life time.Duration, err error) {
	var faults httpapi.Faults
	if body.Kind() != strictjson.Object {
		faults.Add("body", "want no body, or an object")
	}
	life = linkLife
	for field, v := range body.Members() {
		text, ok := v.Text()
		if field != "expires_in" {
			faults.Unknown("", field, []string{"expires_in"})
			continue
		}
		if life, err = durations.ParseDuration(text); !ok || err != nil || life < time.Minute || life > maxLinkLife {
			faults.Add(field, `want a duration from 1m to 24h, like "1h"`)
		}
	}
	return life, faults.Err()
}

// page is the portal of a tenant, which the pages that the tenant has named may
// show within themselves.
func (h *portals) page(r *httpapi.Request) (httpapi.Response, error) {
	tenant := r.PathValue("tenant")
	if !httpapi.ValidTenant(tenant) {
		return httpapi.Response{}, httpapi.PathNotFound.Problem("There is no such page. The portal is at /portal, or at /portal/{tenant}.")
	}
	list, found := h.known.find(tenant, h.now())
	if !found {
		o, err := h.Store.Origins(r.Context(), tenant)
		if err != nil && !errors.Is(err, webhook.ErrNotFound) {
			return httpapi.Response{}, fmt.Errorf("read origins: %w", err)
		}
		list = o.List
		h.known.put(tenant, list, h.now())
	}
	answer := fileResponse(console.Page(r.Header.Get("Accept-Encoding")))
	if len(list) > 0 {
		answer.Header.Set("Content-Security-Policy", strings.Replace(consolePolicy, "frame-ancestors 'none'", "frame-ancestors "+strings.Join(list, " "), 1))
	}
	return answer, nil
}

// embed is the script that shows the portal within a page of others. It is public,
// and contains nothing of a tenant.
func (h *portals) embed(*httpapi.Request) (httpapi.Response, error) {
	answer := fileResponse(console.Embed())
	answer.Header.Set("Access-Control-Allow-Origin", "*")
	answer.Header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	return answer, nil
}

// originsLag is how long another process may serve a page with origins that were
// replaced.
const originsLag = 5 * time.Second

// recentOrigins remembers those of a bounded number of tenants: whoever asks for
// pages without a key causes no more reads than that.
type recentOrigins struct {
	mu    sync.Mutex
	known map[string]knownOrigins
}

type knownOrigins struct {
	list []string
	at   time.Time
}

func (r *recentOrigins) find(tenant string, now time.Time) ([]string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k, found := r.known[tenant]
	return k.list, found && now.Sub(k.at) < originsLag
}

func (r *recentOrigins) put(tenant string, list []string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil || len(r.known) >= 1000 {
		r.known = map[string]knownOrigins{}
	}
	r.known[tenant] = knownOrigins{list, now}
}
