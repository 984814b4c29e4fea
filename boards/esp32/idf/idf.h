// SPDX-License-Identifier: Apache-2.0
// What the board takes from ESP-IDF 5. check/idf.h stands in its place where only gcc is at hand.
#ifndef FLORIN_IDF_H
#define FLORIN_IDF_H

#include <sys/time.h>

#include "bootloader_random.h"
#include "driver/uart.h"
#include "driver/usb_serial_jtag.h"
#include "esp_hmac.h"
#include "esp_partition.h"
#include "esp_random.h"
#include "esp_system.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "nvs.h"
#include "nvs_flash.h"
#include "sdkconfig.h"

void app_main(void);

#endif
