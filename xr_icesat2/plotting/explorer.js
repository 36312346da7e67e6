// Draws the points of a page made by explorer.py with deck.gl, which pydeck contains.
// Texts come from files, so they become text nodes, never HTML.

async function unpack(text, Type) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Type(await new Response(stream).arrayBuffer());
}

function add(parent, kind, text = "", style = {}) {
  const element = document.createElement(kind);
  element.textContent = text;
  Object.assign(element.style, style);
  parent.appendChild(element);
  return element;
}

function writeLegend(legend) {
  const box = document.getElementById("legend");
  add(box, "div", legend.title);
  for (const [label, colour] of legend.categories) {
    const line = add(box, "div");
    add(line, "span", "", { background: colour }).className = "swatch";
    line.append(label);
  }
  if (legend.ramp) {
    const background = `linear-gradient(to right, ${legend.ramp.join(",")})`;
    add(box, "div", "", { background }).className = "ramp";
    const ends = add(box, "div");
    ends.className = "ends";
    legend.limits.forEach((text) => add(ends, "span", text));
  }
}

function writeScale(metresPerPixel) {
  const most = 120 * metresPerPixel;
  const power = 10 ** Math.floor(Math.log10(most));
  const metres = [5, 2, 1].map((factor) => factor * power).find((length) => length <= most);
  const scale = document.getElementById("scale");
  scale.style.width = `${metres / metresPerPixel}px`;
  scale.textContent = metres >= 1000 ? `${metres / 1000} km` : `${metres} m`;
}

async function draw() {
  document.getElementById("title").textContent = page.title;
  document.getElementById("note").textContent = page.note;
  writeLegend(page.legend);
  const [degrees, values, colours] = await Promise.all([
    unpack(page.degrees, Float32Array),
    unpack(page.values, Float32Array),
    unpack(page.colours, Uint8Array),
  ]);
  const count = colours.length;
  const [longitude, latitude] = page.centre;
  const places = page.basemap
    ? Float64Array.from(degrees, (offset, i) => offset + page.centre[i % 2])
    : await unpack(page.metres, Float32Array);
  const rgba = new Uint8Array(count * 4);
  for (let i = 0; i < count; i += 1) rgba.set(page.palette[colours[i]], i * 4);

  const coordinateSystem = page.basemap
    ? deck.COORDINATE_SYSTEM.LNGLAT
    : deck.COORDINATE_SYSTEM.CARTESIAN;
  const layers = [
    new deck.ScatterplotLayer({
      id: "points",
      coordinateSystem,
      data: {
        length: count,
        attributes: {
          getPosition: { value: places, size: 2 },
          getFillColor: { value: rgba, size: 4 },
        },
      },
      radiusUnits: "pixels",
      getRadius: page.radius,
      antialiasing: false,
      pickable: true,
    }),
    new deck.PathLayer({
      id: "region",
      coordinateSystem,
      data: page.outlines,
      getPath: (line) => line,
      getColor: [213, 94, 0],
      widthUnits: "pixels",
      getWidth: 2,
    }),
  ];
  if (page.basemap) {
    layers.unshift(
      new deck.TileLayer({
        id: "basemap",
        data: page.basemap,
        maxZoom: 19,
        tileSize: 256,
        renderSubLayers: (props) => {
          const { west, south, east, north } = props.tile.bbox;
          const bounds = [west, south, east, north];
          return new deck.BitmapLayer(props, { data: null, image: props.data, bounds });
        },
      }),
    );
  }

  const map = document.getElementById("map");
  const [width, height] = [map.clientWidth || 800, map.clientHeight || 500];
  const [west, south, east, north] = page.bounds;
  let view = new deck.OrthographicView({ id: "main", flipY: false, controller: true });
  let initialViewState = {
    target: [(west + east) / 2, (south + north) / 2, 0],
    zoom: Math.log2(Math.min(width / (east - west), height / (north - south))) - 0.2,
    minZoom: -20,
    maxZoom: 10,
  };
  if (page.basemap) {
    view = new deck.MapView({ id: "main", controller: true });
    const corners = [[west, south], [east, north]];
    const fitted = new deck.WebMercatorViewport({ width, height }).fitBounds(corners, { padding: 30, maxZoom: 18 });
    initialViewState = { longitude: fitted.longitude, latitude: fitted.latitude, zoom: fitted.zoom };
  }
  const metresPerPixel = ({ zoom, latitude: lat }) =>
    page.basemap
      ? (40075016.686 * Math.cos((lat * Math.PI) / 180)) / (512 * 2 ** zoom)
      : page.groundScale / 2 ** zoom;
  writeScale(metresPerPixel(initialViewState));

  const beamOf = (index) => page.beams[page.starts.findLastIndex((start) => start <= index)];
  const instance = new deck.Deck({
    parent: map,
    views: view,
    initialViewState,
    layers,
    onViewStateChange: ({ viewState }) => writeScale(metresPerPixel(viewState)),
    getTooltip: ({ index, layer }) => {
      if (index < 0 || !layer || layer.id !== "points") return null;
      const value = Number.isNaN(values[index])
        ? "no value"
        : page.texts[values[index]] ?? `${+values[index].toPrecision(7)} ${page.unit}`;
      const place = [degrees[2 * index + 1] + latitude, ((degrees[2 * index] + longitude + 540) % 360) - 180];
      return { text: `${page.name}: ${value}\n${beamOf(index)}\n${place[0].toFixed(5)}° N, ${place[1].toFixed(5)}° E` };
    },
    onAfterRender: () => {
      // For tests: tells that the points are on the screen.
      document.body.dataset.drawn = `${count} points`;
    },
  });
  window.explorer = instance;
}

draw();
