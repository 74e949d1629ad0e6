package dashboards

import (
	"bytes"
	"encoding/json"
)

// What Grafana reads, as far as the boards need it; written down from its documentation.
type (
	dashboard struct {
		UID           string     `json:"uid"`
		Title         string     `json:"title"`
		Description   string     `json:"description"`
		Tags          []string   `json:"tags"`
		SchemaVersion int        `json:"schemaVersion"`
		Editable      bool       `json:"editable"`
		Refresh       string     `json:"refresh"`
		Time          span       `json:"time"`
		Templating    templating `json:"templating"`
		Panels        []panel    `json:"panels"`
	}
	span struct {
		From string `json:"from"`
		To   string `json:"to"`
	}
	templating struct {
		List []variable `json:"list"`
	}
	variable struct {
		Name       string      `json:"name"`
		Label      string      `json:"label"`
		Type       string      `json:"type"`
		Query      string      `json:"query"`
		Datasource *datasource `json:"datasource,omitempty"`
		Refresh    int         `json:"refresh,omitempty"`
		Multi      bool        `json:"multi,omitempty"`
		IncludeAll bool        `json:"includeAll,omitempty"`
		AllValue   string      `json:"allValue,omitempty"`
		Current    *current    `json:"current,omitempty"`
	}
	current struct {
		Text  string `json:"text"`
		Value string `json:"value"`
	}
	datasource struct {
		Type string `json:"type"`
		UID  string `json:"uid"`
	}
	panel struct {
		ID          int          `json:"id"`
		Type        string       `json:"type"`
		Title       string       `json:"title"`
		Description string       `json:"description,omitempty"`
		GridPos     grid         `json:"gridPos"`
		Datasource  *datasource  `json:"datasource,omitempty"`
		FieldConfig *fieldConfig `json:"fieldConfig,omitempty"`
		Options     any          `json:"options,omitempty"`
		Targets     []target     `json:"targets,omitempty"`
	}
	grid struct {
		X int `json:"x"`
		Y int `json:"y"`
		W int `json:"w"`
		H int `json:"h"`
	}
	fieldConfig struct {
		Defaults struct {
			Unit string `json:"unit"`
			Min  int    `json:"min"`
		} `json:"defaults"`
		Overrides []struct{} `json:"overrides"`
	}
	target struct {
		RefID        string     `json:"refId"`
		Datasource   datasource `json:"datasource"`
		Expr         string     `json:"expr"`
		LegendFormat string     `json:"legendFormat,omitempty"`
		Instant      bool       `json:"instant"`
		Range        bool       `json:"range"`
		Format       string     `json:"format"`
	}
	textOptions struct {
		Mode    string `json:"mode"`
		Content string `json:"content"`
	}
)

// source is the Prometheus that the reader chose.
func source() datasource { return datasource{"prometheus", "${datasource}"} }

// JSON is the board as Grafana imports it.
func (b Board) JSON() ([]byte, error) {
	d := dashboard{UID: b.UID, Title: b.Title, Description: b.About, Tags: []string{"k8guard"}, SchemaVersion: 39, Editable: true,
		Refresh: "1m", Time: span{"now-6h", "now"}, Templating: templating{[]variable{{Name: "datasource", Label: "Prometheus", Type: "datasource", Query: "prometheus"}}}}
	for _, v := range b.Variables {
		d.Templating.List = append(d.Templating.List, v.grafana())
	}
	y := 0
	for _, row := range b.Rows {
		d.Panels = append(d.Panels, panel{ID: len(d.Panels) + 1, Type: "row", Title: row.Title, GridPos: grid{0, y, 24, 1}})
		y = place(&d, row, y+1)
	}
	var out bytes.Buffer
	to := json.NewEncoder(&out)
	to.SetEscapeHTML(false)
	to.SetIndent("", "  ")
	err := to.Encode(d)
	return out.Bytes(), err
}

// place puts the panels of a row side by side, and returns where the next row begins.
func place(d *dashboard, row Row, y int) int {
	x, tallest := 0, 0
	for _, p := range row.Panels {
		h := p.height()
		if x+p.Width > 24 {
			x, y, tallest = 0, y+tallest, 0
		}
		d.Panels = append(d.Panels, p.grafana(len(d.Panels)+1, grid{x, y, p.Width, h}))
		x, tallest = x+p.Width, max(tallest, h)
	}
	return y + tallest
}

func (p Panel) height() int {
	switch p.Shape {
	case Number, Text:
		return 4
	}
	return 8
}

func (p Panel) grafana(id int, at grid) panel {
	out := panel{ID: id, Type: string(p.Shape), Title: p.Title, Description: p.About, GridPos: at}
	if p.Shape == Text {
		out.Options = textOptions{"markdown", p.Text}
		return out
	}
	from := source()
	out.Datasource, out.FieldConfig = &from, &fieldConfig{Overrides: []struct{}{}}
	out.FieldConfig.Defaults.Unit = p.Unit
	for i, q := range p.Queries {
		t := target{RefID: string(rune('A' + i)), Datasource: from, Expr: q.Expr, LegendFormat: q.Legend, Instant: p.Shape != Lines, Range: p.Shape == Lines, Format: "time_series"}
		if p.Shape == Table {
			t.Format = "table"
		}
		out.Targets = append(out.Targets, t)
	}
	return out
}

func (v Variable) grafana() variable {
	if v.Query == "" {
		return variable{Name: v.Name, Label: v.Label, Type: "textbox", Query: v.Default, Current: &current{v.Default, v.Default}}
	}
	from := source()
	return variable{Name: v.Name, Label: v.Label, Type: "query", Query: v.Query, Datasource: &from, Refresh: 2, Multi: true, IncludeAll: true, AllValue: ".*"}
}
