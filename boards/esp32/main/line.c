// SPDX-License-Identifier: Apache-2.0
// The line through ESP-IDF's drivers: UART 0, or the chip's own USB (CONFIG_FLORIN_LINE_USB); and
// KEEPALIVE from a timer's task.
#include "board.h"
#include "idf.h"
#include "runtime.h"
#include "parts.h"
#include "stream/stream.h"

enum { DRIVER_SIZE = 4096, BAUD_RATE = 115200, TICK_US = 10000, SEND_WAIT_MS = 100 };

static SemaphoreHandle_t writing;

#if CONFIG_FLORIN_LINE_USB
static bool open_line(void) {
  usb_serial_jtag_driver_config_t settings = {.tx_buffer_size = DRIVER_SIZE,
                                              .rx_buffer_size = DRIVER_SIZE};
  return usb_serial_jtag_driver_install(&settings) == ESP_OK;
}

static int receive(void *bytes, uint32_t size, TickType_t wait) {
  return usb_serial_jtag_read_bytes(bytes, size, wait);
}

static int transmit(const void *bytes, size_t length) {
  return usb_serial_jtag_write_bytes(bytes, length, pdMS_TO_TICKS(SEND_WAIT_MS));
}
#else
static bool open_line(void) {
  const uart_config_t settings = {.baud_rate = BAUD_RATE,
                                  .data_bits = UART_DATA_8_BITS,
                                  .parity = UART_PARITY_DISABLE,
                                  .stop_bits = UART_STOP_BITS_1};
  return uart_driver_install(UART_NUM_0, DRIVER_SIZE, 0, 0, NULL, 0) == ESP_OK &&
         uart_param_config(UART_NUM_0, &settings) == ESP_OK;
}

static int receive(void *bytes, uint32_t size, TickType_t wait) {
  return uart_read_bytes(UART_NUM_0, bytes, size, wait);
}

static int transmit(const void *bytes, size_t length) {
  return uart_write_bytes(UART_NUM_0, bytes, length);
}
#endif

size_t stream_receive(uint8_t *bytes, size_t size, uint32_t wait_ms) {
  int length = receive(bytes, (uint32_t)size, pdMS_TO_TICKS(wait_ms));
  return length < 0 ? 0 : (size_t)length;
}

/* A cable that is out takes nothing: what is lost the link repairs. */
size_t stream_send(const uint8_t *bytes, size_t length) {
  int sent = transmit(bytes, length);
  return sent > 0 ? (size_t)sent : length;
}

void board_hold(void) { xSemaphoreTake(writing, portMAX_DELAY); }

void board_release(void) { xSemaphoreGive(writing); }

/* On two cores the timer's task runs beside the program: a frame under way is waited for. */
static void tick(void *argument) {
  (void)argument;
  if (xSemaphoreTake(writing, 0) != pdTRUE) return;
  runtime_millisecond();
  board_release();
}

void line_start(void) {
  const esp_timer_create_args_t settings = {.callback = tick, .name = "keepalive"};
  esp_timer_handle_t timer;
  writing = xSemaphoreCreateMutex();
  if (writing == NULL || !open_line() || esp_timer_create(&settings, &timer) != ESP_OK ||
      esp_timer_start_periodic(timer, TICK_US) != ESP_OK) {
    board_fail("its line cannot be opened");
  }
}
